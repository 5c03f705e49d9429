import { createContext, useContext } from 'react';
import { type Preferences, readPreferences } from './preferences';

interface Chosen {
  preferences: Preferences;
  change: (changed: Partial<Preferences>) => void;
}

export const PreferencesContext = createContext<Chosen>({ preferences: readPreferences(), change: () => undefined });
export const usePreferences = (): Chosen => useContext(PreferencesContext);
