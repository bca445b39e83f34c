/// Things that float over the page: a menu under its button, and a searchable list of choices.

import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

const GAP_PX = 4;
const EDGE_PX = 8;

interface PopoverProps {
  /// What the button shows.
  readonly button: ComponentChildren;
  /// What it does. A button of an icon alone has it as its name, one with words as its description.
  readonly label: string;
  readonly isIcon?: boolean;
  readonly buttonClass?: string;
  readonly align?: "left" | "right";
  readonly children: (close: () => void) => ComponentChildren;
}

/// A button that opens a floating box under itself; Escape, a press elsewhere, or its content closes it.
export function Popover({
  button,
  label,
  isIcon = false,
  buttonClass = "pill",
  align = "left",
  children,
}: PopoverProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const anchor = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const close = (): void => {
    setOpen(false);
    anchor.current?.focus();
  };
  useLayoutEffect(() => {
    if (!isOpen || !anchor.current || !box.current) return;
    const from = anchor.current.getBoundingClientRect();
    const size = box.current.getBoundingClientRect();
    const left = align === "right" ? from.right - size.width : from.left;
    box.current.style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - size.width - EDGE_PX))}px`;
    const below = from.bottom + GAP_PX;
    const isRoom = below + size.height < innerHeight - EDGE_PX || from.top < size.height;
    box.current.style.top = `${isRoom ? below : from.top - size.height - GAP_PX}px`;
    box.current.querySelector<HTMLElement>("input, [role^=menuitem], [role=option], button")?.focus();
  }, [isOpen]);
  useDismissal(isOpen, [box, anchor], close, () => setOpen(false));
  return (
    <>
      <button
        ref={anchor}
        type="button"
        class={buttonClass}
        title={label}
        aria-label={isIcon ? label : undefined}
        aria-haspopup="true"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {button}
      </button>
      {isOpen && (
        <div ref={box} class="popover" onKeyDown={roveItems}>
          {children(close)}
        </div>
      )}
    </>
  );
}

/// Closes what floats: on Escape, and on a press elsewhere than in `boxes`.
function useDismissal(
  isOpen: boolean,
  boxes: readonly RefObject<HTMLElement | null>[],
  onEscape: () => void,
  onPressElsewhere: () => void,
): void {
  useEffect(() => {
    if (!isOpen) return undefined;
    const press = (event: PointerEvent): void => {
      const target = event.target as Node;
      if (!boxes.some((box) => box.current?.contains(target))) onPressElsewhere();
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      onEscape();
    };
    addEventListener("pointerdown", press, true);
    addEventListener("keydown", key, true);
    return () => {
      removeEventListener("pointerdown", press, true);
      removeEventListener("keydown", key, true);
    };
  }, [isOpen]);
}

interface MenuAtProps {
  /// Where on the page the menu stands, if there is room to the right and below.
  readonly x_px: number;
  readonly y_px: number;
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly onClose: () => void;
}

/// A menu at a point of the page, such as the pointer; its owner shows it until it is closed.
export function MenuAt({ x_px, y_px, label, items, onClose }: MenuAtProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!box.current) return;
    const { width, height } = box.current.getBoundingClientRect();
    box.current.style.left = `${Math.max(EDGE_PX, Math.min(x_px, innerWidth - width - EDGE_PX))}px`;
    box.current.style.top = `${Math.max(EDGE_PX, Math.min(y_px, innerHeight - height - EDGE_PX))}px`;
    box.current.querySelector<HTMLElement>("[role^=menuitem]")?.focus({ preventScroll: true });
  }, [x_px, y_px]);
  useDismissal(true, [box], onClose, onClose);
  return (
    <div ref={box} class="popover" aria-label={label} onKeyDown={roveItems}>
      <MenuItems items={items} close={onClose} />
    </div>
  );
}

/// Arrow keys move between the items of a menu.
function roveItems(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const box = event.currentTarget as HTMLElement;
  const items = [...box.querySelectorAll<HTMLElement>("[role^=menuitem]")];
  if (items.length === 0) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length].focus();
}

export interface MenuItem {
  readonly label: string;
  readonly icon?: IconName;
  readonly hint?: string;
  readonly isOn?: boolean;
  readonly isBad?: boolean;
  readonly run: () => void;
}

/// The items of a menu.
export function MenuItems({ items, close }: { items: readonly MenuItem[]; close: () => void }): JSX.Element {
  return (
    <div role="menu" class="menu">
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          class={item.isBad ? "bad" : ""}
          onClick={() => {
            close();
            item.run();
          }}
        >
          {item.icon && <Icon name={item.icon} />}
          <span>{item.label}</span>
          {item.isOn && <Icon name="check" />}
          {item.hint && <kbd>{item.hint}</kbd>}
        </button>
      ))}
    </div>
  );
}

/// One choice of a list. `value` tells choices apart; `label` is found by typing.
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly detail?: string;
  readonly section?: string;
}

interface PickerProps {
  readonly choices: readonly Choice[];
  readonly chosen: ReadonlySet<string>;
  readonly onPick: (value: string) => void;
  readonly placeholder?: string;
  /// Several may be chosen: the list stays open and shows ticks.
  readonly isMany?: boolean;
}

const MOST_SHOWN = 200;

/// Choices whose label or section has all the words of `text`; those that begin with it first.
export function findChoices(choices: readonly Choice[], text: string): readonly Choice[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return choices;
  const found = choices.filter(({ label, section = "" }) =>
    words.every((word) => `${section} ${label}`.toLowerCase().includes(word)),
  );
  const starts = (choice: Choice): number => Number(!choice.label.toLowerCase().startsWith(words[0]));
  return [...found].sort((a, b) => starts(a) - starts(b));
}

/// A list of choices with a search box, driven by arrows and Enter.
export function Picker({ choices, chosen, onPick, placeholder = "Search…", isMany = false }: PickerProps): JSX.Element {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = findChoices(choices, text).slice(0, MOST_SHOWN);
  useEffect(() => {
    list.current?.querySelector(".on")?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const key = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setAt((at + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter" && found[at]) onPick(found[at].value);
    else return;
    event.preventDefault();
  };
  let section: string | undefined;
  return (
    <div class="picker" onKeyDown={key}>
      <input
        type="text"
        value={text}
        placeholder={placeholder}
        aria-label={placeholder}
        role="combobox"
        aria-expanded="true"
        aria-controls="picker-list"
        spellcheck={false}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
      />
      <div
        id="picker-list"
        ref={list}
        class="options"
        role="listbox"
        aria-label={placeholder}
        aria-multiselectable={isMany}
        tabIndex={0}
      >
        {found.map((choice, i) => {
          const isNew = choice.section !== section;
          section = choice.section;
          return (
            <div key={choice.value}>
              {isNew && section && <h5>{section}</h5>}
              <div
                role="option"
                aria-selected={chosen.has(choice.value)}
                class={i === at ? "option on" : "option"}
                onClick={() => onPick(choice.value)}
                onMouseMove={() => i !== at && setAt(i)}
              >
                {isMany ? (
                  <span class={chosen.has(choice.value) ? "tick on" : "tick"}>
                    {chosen.has(choice.value) && <Icon name="check" size={12} />}
                  </span>
                ) : null}
                <span class="name">{choice.label}</span>
                {choice.detail && <span class="detail">{choice.detail}</span>}
                {!isMany && chosen.has(choice.value) && <Icon name="check" />}
              </div>
            </div>
          );
        })}
        {found.length === 0 && <p class="nothing">Nothing has this name.</p>}
      </div>
    </div>
  );
}
