// The draft: what was typed and which photo was taken, kept for a reload of this tab.

const KEY = "draft";

/** @typedef {{fields: Record<string, string>, chosen: string[], timestamp: string}} Draft */

/** @param {Draft} draft */
export function keepDraft(draft) {
  sessionStorage.setItem(KEY, JSON.stringify(draft));
}

/** Return the draft; null if there is none that can be read. @returns {Draft | null} */
export function keptDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}
