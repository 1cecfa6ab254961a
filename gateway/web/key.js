// Asks for the API key if the gateway requires one; it is kept until the tab is closed.

/** @returns {Promise<string>} empty if the user enters none */
export function askForKey() {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("key"));
  const input = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
  input.value = dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? input.value.trim() : ""), { once: true });
  });
}
