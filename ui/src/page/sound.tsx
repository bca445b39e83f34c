/// A sound: its shape, what was played of it, and a player; decoded in the browser when it comes on the screen.

import { signal, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { drawWave, peaksOf } from "../chart/waveform";
import { blobUrl, itemLabel, type Item } from "../model/objects";
import { makeQueue } from "../model/queue";
import { request } from "../wire/request";
import { Icon } from "../widget/icon";
import { useApp } from "./app";
import { useOnScreen } from "./hooks";

const COLUMNS = 280;
const HEIGHT_PX = 48;
const DECODED_BYTES_MOST = 40 << 20; // a longer file is played, without its shape
const AT_ONCE = 2;

/// The sound that plays now; another one that begins stops it.
const playing = signal<HTMLAudioElement | null>(null);

const inTurn = makeQueue(AT_ONCE);

interface Shape {
  readonly peaks: Float32Array;
  readonly duration_s: number;
}

async function shapeOf(url: string): Promise<Shape> {
  const bytes = await (await request(url)).arrayBuffer();
  const decoded = await new OfflineAudioContext(1, 1, 44_100).decodeAudioData(bytes);
  const sides = Array.from({ length: decoded.numberOfChannels }, (_, channel) => decoded.getChannelData(channel));
  return { peaks: peaksOf(sides, COLUMNS), duration_s: decoded.duration };
}

function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const tenths = seconds < 10 ? `.${Math.floor((seconds % 1) * 10)}` : "";
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}${tenths}`;
}

/// The shape of a sound, once it was on the screen; a fault if the browser cannot decode it.
function useShape(item: Item, url: string, isSeen: ReadonlySignal<boolean>) {
  const [shape, setShape] = useState<Shape | null>(null);
  const [length_s, setLength] = useState(item.duration_s ?? 0);
  const [fault, setFault] = useState(false);
  useEffect(() => {
    if (!isSeen.value || (item.size ?? 0) > DECODED_BYTES_MOST) return undefined;
    let isGone = false;
    inTurn(
      () => 0,
      () => (isGone ? Promise.resolve(null) : shapeOf(url)),
    ).then(
      (made) => {
        if (isGone || !made) return;
        setShape(made);
        setLength(made.duration_s);
      },
      () => !isGone && setFault(true),
    );
    return () => {
      isGone = true;
    };
  }, [url, isSeen.value]);
  return { shape, length_s, setLength, fault };
}

/// A player that stops when another one begins, and how far it is.
function usePlayer() {
  const { session } = useApp();
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [at_s, setAt] = useState(0);
  useEffect(
    () =>
      playing.subscribe((other) => {
        if (other !== audio.current) audio.current?.pause();
      }),
    [],
  );
  useEffect(() => {
    if (!isPlaying) return undefined;
    let frame = 0;
    const follow = (): void => {
      if (audio.current) setAt(audio.current.currentTime);
      frame = requestAnimationFrame(follow);
    };
    follow();
    return () => cancelAnimationFrame(frame);
  }, [isPlaying]);
  const press = (): void => {
    const player = audio.current;
    if (!player) return;
    if (!player.paused) return player.pause();
    playing.value = player;
    player.play().catch(session.report);
  };
  const seek = (to_s: number): void => {
    setAt(to_s);
    if (audio.current) audio.current.currentTime = to_s;
  };
  return { audio, isPlaying, setPlaying, at_s, setAt, press, seek };
}

/// The wave, with the part that was played in a colour of its own.
function Wave({ shape, share, color }: { shape: Shape | null; share: number; color?: string }): JSX.Element {
  const { session } = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!canvas.current || !shape) return;
    const style = getComputedStyle(document.documentElement);
    const dpr = devicePixelRatio || 1;
    [canvas.current.width, canvas.current.height] = [Math.round(COLUMNS * dpr), Math.round(HEIGHT_PX * dpr)];
    drawWave(
      canvas.current,
      shape.peaks,
      share,
      style.getPropertyValue("--accent").trim(),
      color ?? style.getPropertyValue("--ink-3").trim(),
    );
    canvas.current.dataset.drawn = "wave";
  }, [shape, share, color, session.theme.value]);
  const size = { width: `${COLUMNS}px`, height: `${HEIGHT_PX}px` };
  return <canvas ref={canvas} style={size} aria-hidden="true" />;
}

/// The sound.
export function Sound({ item, color }: { item: Item; color?: string }): JSX.Element {
  const { scope } = useApp();
  const { ref, isSeen } = useOnScreen();
  const url = item.blob === undefined ? "" : blobUrl(scope, item.blob);
  const label = itemLabel(item);
  const { shape, length_s, setLength, fault } = useShape(item, url, isSeen);
  const { audio, isPlaying, setPlaying, at_s, setAt, press, seek } = usePlayer();
  return (
    <figure class="sound" ref={ref}>
      <div class="player">
        <button
          type="button"
          class="bare round"
          aria-label={`${isPlaying ? "Pause" : "Play"} ${label}`}
          onClick={press}
        >
          <Icon name={isPlaying ? "pause" : "play"} size={13} />
        </button>
        <div class="wave">
          <Wave shape={shape} share={length_s > 0 ? at_s / length_s : 0} color={color} />
          {fault && <span class="muted">This browser cannot draw it.</span>}
          <input
            type="range"
            min="0"
            max={length_s || 1}
            step="0.01"
            value={at_s}
            aria-label={`Position in ${label}`}
            aria-valuetext={clock(at_s)}
            onInput={(event) => seek(Number(event.currentTarget.value))}
          />
        </div>
        <span class="clock">
          {clock(at_s)} <span class="muted">/ {length_s > 0 ? clock(length_s) : "?"}</span>
        </span>
        <a
          class="bare"
          href={url}
          download={`${item.track.name}-${item.step}.${item.format ?? "wav"}`}
          aria-label={`Download ${label}`}
        >
          <Icon name="download" size={13} />
        </a>
      </div>
      <figcaption>
        {item.caption || `step ${item.step}`}
        {item.rate ? <span class="muted"> · {item.rate / 1000} kHz</span> : null}
      </figcaption>
      <audio
        ref={audio}
        preload="none"
        src={url}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setAt(0)}
        onLoadedMetadata={(event) =>
          Number.isFinite(event.currentTarget.duration) && setLength(event.currentTarget.duration)
        }
      />
    </figure>
  );
}
