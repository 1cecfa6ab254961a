// Favourites: kept in this browser.

const KEY = "favourites";

/** @returns {Set<number>} */
function read() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
  } catch {
    return new Set();
  }
}

/** @param {number} sequence */
export const isFavourite = (sequence) => read().has(sequence);

/** Return all favourites, newest first. */
export const favourites = () => [...read()].sort((one, other) => other - one);

/** Make a record a favourite, or an ordinary one again. @param {number} sequence @param {boolean} wanted */
export function setFavourite(sequence, wanted) {
  const kept = read();
  if (wanted) kept.add(sequence);
  else kept.delete(sequence);
  localStorage.setItem(KEY, JSON.stringify([...kept]));
}

/** Let a button show and change whether a record is a favourite. @param {HTMLButtonElement} button @param {number} sequence */
export function prepareFavourite(button, sequence) {
  const draw = () => {
    button.setAttribute("aria-pressed", String(isFavourite(sequence)));
    button.textContent = isFavourite(sequence) ? "★" : "☆";
  };
  button.addEventListener("click", () => {
    setFavourite(sequence, !isFavourite(sequence));
    draw();
  });
  const drawIfShown = () => (button.isConnected ? draw() : removeEventListener("storage", drawIfShown));
  addEventListener("storage", drawIfShown); // another tab may change it
  draw();
}
