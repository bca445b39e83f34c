import type { JSX } from 'preact'; export function ParamsPage(): JSX.Element { return <main class='main' />; }
