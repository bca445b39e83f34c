import type { JSX } from 'preact'; export function MediaPage(): JSX.Element { return <main class='main' />; }
