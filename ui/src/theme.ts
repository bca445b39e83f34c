/// Sets the chosen theme before anything is drawn, so that a dark page never flashes white.

const THEME_KEY = "aim.theme";
const chosen = localStorage.getItem(THEME_KEY);
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.dataset.theme = dark ? "dark" : "light";
