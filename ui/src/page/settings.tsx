import type { JSX } from 'preact'; export function SettingsPage(): JSX.Element { return <main class='main' />; }
