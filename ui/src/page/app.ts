/// The models of the window, handed down to every part of a page.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { App } from "../model/app";

const AppContext = createContext<App | null>(null);

/// Gives the parts inside it these models; inside another one it replaces what the outer one gave.
export const AppProvider = AppContext.Provider;

/// The models that this part of a page uses.
export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("This part of a page is outside of AppProvider.");
  return app;
}
