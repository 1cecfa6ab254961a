// Asks for the API key, where the gateway wants one; it is kept until the browser's tab is closed.

/** @returns {Promise<string>} empty when the user has none */
export function askForKey() {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("key"));
  const input = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
  input.value = dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? input.value.trim() : ""), { once: true });
  });
}
