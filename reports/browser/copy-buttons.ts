/** Runs in the page: its functions are put there as text, so they use nothing but each other. */
/// <reference lib="dom" />

/** Copies the command of the button, and says so on it for a moment. */
export function startCopyButtons(): void {
  const buttons = document.querySelectorAll<HTMLButtonElement>('button[data-copy]');
  for (const button of buttons) {
    button.addEventListener('click', () => void copyOf(button));
  }
}

export async function copyOf(button: HTMLButtonElement): Promise<void> {
  const label = button.firstChild;
  const copied = await copyText(button.dataset.copy ?? '');
  if (label === null) return;
  label.textContent = copied ? 'Copied' : 'Press Ctrl+C';
  const status = document.getElementById('status');
  if (status !== null) status.textContent = copied ? 'Command copied.' : 'Command selected.';
  button.addEventListener('blur', () => (label.textContent = 'Copy'), { once: true });
}

/** Browsers may refuse the clipboard to a file: then the command is selected instead. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const codes = [...document.querySelectorAll('.commands code')];
    const code = codes.find((each) => each.textContent === text);
    if (code !== undefined) getSelection()?.selectAllChildren(code);
    return false;
  }
}

export const COPY_BUTTON_FUNCTIONS: readonly ((...args: never[]) => unknown)[] = [
  startCopyButtons,
  copyOf,
  copyText,
];
