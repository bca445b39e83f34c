import type { JSX } from 'preact'; export function TextsPage(): JSX.Element { return <main class='main' />; }
