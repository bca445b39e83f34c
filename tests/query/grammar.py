"""
Hostile queries: made from the grammar with the worst values at each position, and some of them mutated.
"""

from __future__ import annotations

import random

NAMES = (
    "run", "metric", "images", "run.a", "run.hp", "run.hp.lr", "run.l", "run.text", "run.name", "run.tags",
    "run.created_at", "run.metrics", "run.metrics['loss']", "run.metrics['loss', {'subset': 'val'}].last",
    "run.get", "run.missing.deep", "metric.name", "metric.context", "metric.context.subset", "metric.last",
    "metric.values", "metric.steps", "metric.run", "metric.run.hp", "x", "y", "f", "_", "__import__", "datetime",
    "timedelta", "math", "re", "random", "string", "len", "type", "getattr", "globals", "open", "eval", "exec",
    "compile", "vars", "dir", "object", "super", "print", "True", "None", "false", "run.__class__", "run.run",
    "run.db", "run.meta_run_tree", "run.hash.__class__.__mro__", "metric.gi_frame", "run.format",
)  # fmt: skip
CONSTANTS = (
    "0", "1", "-1", "2", "10**9", "2**63", "9" * 30, "1e308", "0.1", "float('nan')", "float('inf')", "1j", "True",
    "None", "''", "'a'", "'a' * 1000", "'%s'", "'%999999999d'", "'%*d'", "'{0.__class__}'", "'{:>999999999}'",
    "b'a'", "'\\ud800'", "'(a+)+b'", "'(a|aa)+$'", "'a' * 50", "'.*.*.*x'", "'(?=a)'", "r'(\\w+)\\1'", "'['",
    "'subset'", "'loss'", "'é\\u0130'", "[]", "()", "{}", "{'a': 1}", "{1, 2}", "[1, 2, 3]", "(1, 'a')", "[[[]]]",
    "range(10)", "range(10**12)", "range(0, 10**18, 7)", "datetime(2024, 1, 1)", "datetime.min",
    "timedelta(days=1)", "timedelta.max", "datetime.now()", "slice(1, 2)", "...",
)  # fmt: skip
BINARY = ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@")
COMPARE = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not")
FUNCTIONS = (
    "len", "abs", "str", "int", "float", "bool", "bytes", "complex", "list", "tuple", "set", "frozenset", "dict",
    "sorted", "min", "max", "sum", "any", "all", "round", "range", "zip", "enumerate", "reversed", "map", "filter",
    "isinstance", "issubclass", "callable", "chr", "ord", "hex", "oct", "bin", "divmod", "pow", "hash", "repr",
    "slice", "test", "reorder", "same_type", "id", "datetime", "timedelta", "date", "datetime.strptime",
    "datetime.fromtimestamp", "datetime.fromisoformat", "math.factorial", "math.comb", "math.perm", "math.prod",
    "math.lcm", "math.gcd", "math.sqrt", "math.log", "math.pow", "math.gamma", "math.floor", "math.isqrt",
    "math.exp", "math.hypot", "re.search", "re.match", "re.fullmatch", "re.escape", "random.choice",
    "random.random", "random.randint", "(lambda x: x)", "(lambda x: x(x))", "(lambda f, x: f(x))", "getattr",
    "type", "__import__",
)  # fmt: skip
METHODS = (
    "startswith", "endswith", "lower", "upper", "strip", "split", "rsplit", "splitlines", "join", "replace", "find",
    "index", "count", "zfill", "ljust", "rjust", "center", "expandtabs", "partition", "removeprefix", "encode",
    "decode", "format", "format_map", "get", "keys", "values", "items", "union", "difference", "issubset", "group",
    "groups", "span", "isoformat", "strftime", "timestamp", "replace", "date", "weekday", "total_seconds",
    "bit_length", "is_integer", "hex", "append", "pop", "clear", "update", "sort", "translate", "mro", "title",
    "casefold", "swapcase", "isdigit",
)  # fmt: skip
ATTRIBUTES = (
    "a", "lr", "name", "real", "imag", "year", "days", "microsecond", "__class__", "__dict__", "__globals__",
    "__subclasses__", "__init__", "__code__", "gi_frame", "f_back", "f_globals", "func_globals", "tb_frame",
    "_table", "denominator", "call",
)  # fmt: skip
RANGES = ("range(10**9)", "range(1000)", "range(1000) for y in range(1000)")
LAMBDAS = ("(lambda x: {})({})", "(lambda f: f(f))(lambda f: {} or f(f))", "sorted({1}, key=lambda x: {0})")
SPECS = ("", "d", ".2f", ">10", ">99999", "<1000000000", "%Y", "%999d", "{x}", "n", ",", "c", "\\x00")
NOISE = (
    "(", ")", "[", "]", "{", "}", "'", '"', "\\", "\n", "#", ";", "=", ":=", "lambda", "*", "**", "yield", "await",
    "\0", "é", "if", "select", "\t", "\r", "\x0c", "f'", "0x", "1_0", "1e999", "not ", "-" * 60, "(" * 40,
)  # fmt: skip


class Grammar:
    """Makes queries from a seed; equal seeds make equal queries."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def query(self) -> str:
        """Return the next query; one in eight is mutated."""
        text = self.expression(self.chance.choice((1, 2, 3, 3, 4, 5)))
        if self.chance.random() < 0.125:
            for _ in range(self.chance.randint(1, 3)):
                place = self.chance.randrange(len(text) + 1)
                cut = self.chance.choice((0, 0, 1, 5))
                text = text[:place] + self.chance.choice(NOISE) + text[place + cut :]
        return text

    def expression(self, depth: int) -> str:
        """Make an expression of at most so many levels."""
        if depth <= 0 or self.chance.random() < 0.12:
            return self.chance.choice(NAMES if self.chance.random() < 0.55 else CONSTANTS)
        makers = (
            *(self.compare, self.compare, self.logic, self.binary, self.binary, self.unary, self.call, self.call),
            *(self.method, self.method, self.attribute, self.subscript, self.choice, self.display),
            *(self.comprehension, self.function, self.text, self.assign),
        )
        return self.chance.choice(makers)(depth - 1)

    def several(self, depth: int, most: int = 3) -> str:
        return ", ".join(self.expression(depth - 1) for _ in range(self.chance.randint(0, most)))

    def compare(self, depth: int) -> str:
        return f"({self.expression(depth)} {self.chance.choice(COMPARE)} {self.expression(depth)})"

    def logic(self, depth: int) -> str:
        return f"({self.expression(depth)} {self.chance.choice(('and', 'or'))} {self.expression(depth)})"

    def binary(self, depth: int) -> str:
        return f"({self.expression(depth)} {self.chance.choice(BINARY)} {self.expression(depth)})"

    def unary(self, depth: int) -> str:
        return f"({self.chance.choice(('not ', '-', '~', '+'))}{self.expression(depth)})"

    def call(self, depth: int) -> str:
        keyword = self.chance.choice(("", "", "", ", key=len", ", default=0", ", key=lambda x: x * 9", "**{}"))
        return f"{self.chance.choice(FUNCTIONS)}({self.several(depth)}{keyword})"

    def method(self, depth: int) -> str:
        return f"({self.expression(depth)}).{self.chance.choice(METHODS)}({self.several(depth, 2)})"

    def attribute(self, depth: int) -> str:
        return f"({self.expression(depth)}).{self.chance.choice(ATTRIBUTES)}"

    def subscript(self, depth: int) -> str:
        part = f"{self.expression(0)}:{self.expression(0)}"
        inside = self.chance.choice((self.expression(depth), part, "::-1", "'a', 'b'"))
        return f"({self.expression(depth)})[{inside}]"

    def choice(self, depth: int) -> str:
        return f"({self.expression(depth)} if {self.expression(depth)} else {self.expression(depth)})"

    def display(self, depth: int) -> str:
        shape = self.chance.choice(("[{}]", "({},)", "{{{}}}", "[*{}]"))
        return shape.format(self.several(depth) or "1")

    def comprehension(self, depth: int) -> str:
        items = self.chance.choice((self.expression(depth), *RANGES))
        test = self.chance.choice(("", f" if {self.expression(depth - 1)}"))
        shape = self.chance.choice(("[{}]", "{{{}}}", "any({})", "sum({})", "{{x: {}}}", "len(list({}))"))
        return shape.format(f"{self.expression(depth)} for x in {items}{test}")

    def function(self, depth: int) -> str:
        called = self.chance.choice(LAMBDAS)
        return called.format(self.expression(depth), self.expression(depth))

    def text(self, depth: int) -> str:
        inside = self.expression(min(depth, 1)).replace("'", '"').replace("\\", "")
        return f"f'{{{inside}!r:{self.chance.choice(SPECS)}}}'" if self.chance.random() < 0.3 else f"f'{{{inside}}}'"

    def assign(self, depth: int) -> str:
        return f"(x := {self.expression(depth)})"
