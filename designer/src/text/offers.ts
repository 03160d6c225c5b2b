// What can be written where a cursor stands. Pure.

export interface Offer {
  label: string;
  detail?: string;
  info?: string;
  apply: string; // what is written in place of the word
}

export interface Offers {
  from: number; // where the word begins that an offer takes the place of
  offers: Offer[];
}

export const plain = (names: string[], detail?: string): Offer[] => names.map((name) => ({ label: name, apply: name, ...(detail ? { detail } : {}) }));
