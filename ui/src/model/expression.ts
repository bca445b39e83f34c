/// Expressions over curves, such as `val/loss - train/loss` or `log(grad_norm) / 2`: a parser by precedence, and an
/// evaluation over arrays. Nothing of the text is ever run as a program.
///
///     sum      = product (("+" | "-") product)*
///     product  = power (("*" | "/" | "%") power)*
///     power    = ("-")* atom ("^" power)?
///     atom     = number | metric | function "(" sum ("," sum)* ")" | "(" sum ")"
///
/// Names of metrics may hold signs such as `/`. So at each place the longest name of a metric is read first, and
/// anything stands between backticks where that reads too much.

/// A parsed expression. `metric` is an index into the metrics that the parser was given.
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "metric"; readonly index: number }
  | { readonly kind: "call"; readonly name: string; readonly parts: readonly Expression[] };

/// What is wrong with an expression, and where.
export class ExpressionError extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

type Calculation = (...values: number[]) => number;

const CALCULATIONS: Readonly<Record<string, { readonly count: number; readonly run: Calculation }>> = {
  "+": { count: 2, run: (a, b) => a + b },
  "-": { count: 2, run: (a, b) => a - b },
  "*": { count: 2, run: (a, b) => a * b },
  "/": { count: 2, run: (a, b) => a / b },
  "%": { count: 2, run: (a, b) => a % b },
  "^": { count: 2, run: (a, b) => a ** b },
  abs: { count: 1, run: Math.abs },
  exp: { count: 1, run: Math.exp },
  log: { count: 1, run: Math.log },
  log10: { count: 1, run: Math.log10 },
  log2: { count: 1, run: Math.log2 },
  sqrt: { count: 1, run: Math.sqrt },
  min: { count: 2, run: Math.min },
  max: { count: 2, run: Math.max },
};
const LEVELS: readonly (readonly string[])[] = [
  ["+", "-"],
  ["*", "/", "%"],
];
const NUMBER = /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_]\w*/y;
const DEPTH_MOST = 100;

/// The functions that expressions may use.
export const FUNCTIONS: readonly string[] = Object.keys(CALCULATIONS).filter((name) => /^\w+$/.test(name));

class Parser {
  private at = 0;
  private depth = 0;

  /// `names`: each name of a metric with its index, the longest first.
  constructor(
    private readonly text: string,
    private readonly names: readonly (readonly [string, number])[],
  ) {}

  whole(): Expression {
    const expression = this.level(0);
    this.skip();
    if (this.at < this.text.length)
      throw this.error(`“${this.text.slice(this.at, this.at + 20)}” is not expected here`);
    return expression;
  }

  private error(message: string): ExpressionError {
    return new ExpressionError(`${message}, at character ${this.at + 1}.`, this.at);
  }

  private skip(): void {
    while (this.text[this.at] === " ") this.at++;
  }

  private takes(sign: string): boolean {
    this.skip();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private level(index: number): Expression {
    if (index === LEVELS.length) return this.power();
    let left = this.level(index + 1);
    for (;;) {
      const sign = LEVELS[index].find((each) => this.takes(each));
      if (sign === undefined) return left;
      left = { kind: "call", name: sign, parts: [left, this.level(index + 1)] };
    }
  }

  private power(): Expression {
    if (++this.depth > DEPTH_MOST) throw this.error("The expression is nested too deep");
    let expression: Expression;
    if (this.takes("-")) {
      expression = { kind: "call", name: "-", parts: [{ kind: "number", value: 0 }, this.power()] };
    } else {
      expression = this.atom();
      if (this.takes("^")) expression = { kind: "call", name: "^", parts: [expression, this.power()] };
    }
    this.depth--;
    return expression;
  }

  private atom(): Expression {
    if (this.takes("(")) return this.closed(this.level(0));
    if (this.takes("`")) return this.quoted();
    const metric = this.names.find(([name]) => this.text.startsWith(name, this.at) && this.endsAt(name));
    if (metric) {
      this.at += metric[0].length;
      return { kind: "metric", index: metric[1] };
    }
    const number = this.matched(NUMBER);
    if (number !== null) return { kind: "number", value: Number(number) };
    return this.call();
  }

  /// Whether a name that ends in a word ends where the word does.
  private endsAt(name: string): boolean {
    return !/\w$/.test(name) || !/^\w/.test(this.text.slice(this.at + name.length));
  }

  private matched(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match) this.at += match[0].length;
    return match && match[0];
  }

  private closed(expression: Expression): Expression {
    if (!this.takes(")")) throw this.error("A closing bracket is missing");
    return expression;
  }

  private quoted(): Expression {
    const end = this.text.indexOf("`", this.at);
    if (end < 0) throw this.error("A closing backtick is missing");
    const name = this.text.slice(this.at, end);
    const metric = this.names.find(([each]) => each === name);
    if (!metric) throw this.error(`There is no metric “${name}”`);
    this.at = end + 1;
    return { kind: "metric", index: metric[1] };
  }

  private call(): Expression {
    const start = this.at;
    const word = this.matched(WORD);
    if (word === null)
      throw this.error(this.at < this.text.length ? "A metric or a number is expected" : "It ends too early");
    if (!FUNCTIONS.includes(word) || !this.takes("(")) {
      this.at = start;
      throw this.error(`There is no metric “${word}”`);
    }
    const parts = [this.level(0)];
    while (this.takes(",")) parts.push(this.level(0));
    if (parts.length !== CALCULATIONS[word].count)
      throw this.error(`“${word}” takes ${CALCULATIONS[word].count}, not ${parts.length}`);
    return this.closed({ kind: "call", name: word, parts });
  }
}

/// Parses an expression. `names`: all names of metrics, each with the index of its metric. Throws `ExpressionError`.
export function parseExpression(text: string, names: ReadonlyMap<string, number>): Expression {
  const longestFirst = [...names].sort(([a], [b]) => b.length - a.length);
  return new Parser(text, longestFirst).whole();
}

/// The indices of the metrics that an expression names, in the order of their first use.
export function metricsIn(expression: Expression): readonly number[] {
  if (expression.kind === "metric") return [expression.index];
  return expression.kind === "number" ? [] : [...new Set(expression.parts.flatMap(metricsIn))];
}

/// The value of an expression; `valueOf` has that of each metric.
export function evaluate(expression: Expression, valueOf: (index: number) => number): number {
  if (expression.kind === "number") return expression.value;
  if (expression.kind === "metric") return valueOf(expression.index);
  return CALCULATIONS[expression.name].run(...expression.parts.map((part) => evaluate(part, valueOf)));
}
