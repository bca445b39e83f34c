import type { JSX } from 'preact'; export function ReportsPage(): JSX.Element { return <main class='main' />; }
