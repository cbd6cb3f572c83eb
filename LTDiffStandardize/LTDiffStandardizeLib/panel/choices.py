"""A combo box over values of our own, each with a text for the user."""
from __future__ import annotations

from collections.abc import Callable, Sequence


class Choice:
    """Tells `chosen(value)` what the user picks. Texts are told apart, so each must occur once."""

    def __init__(self, combo, chosen: Callable[[str], None]) -> None:
        self._combo, self._chosen, self._entries, self._filling = combo, chosen, [], False
        self.value: str | None = None
        combo.currentTextChanged.connect(self._picked)

    def fill(self, entries: Sequence[tuple[str, str]], value: str | None = None) -> None:
        """entries: (value, text). The value is kept where it is among them, or else the first taken; nobody is told."""
        wanted = self.value if value is None else value
        self.value = wanted if any(wanted == one for one, _ in entries) else (entries[0][0] if entries else None)
        self._filling = True
        if entries != self._entries:
            self._entries = list(entries)
            self._combo.clear()
            self._combo.addItems([text for _, text in entries])
        self._combo.setCurrentIndex([one for one, _ in entries].index(self.value) if entries else -1)
        self._combo.setEnabled(len(entries) > 1)
        self._filling = False

    def _picked(self, text: str) -> None:
        if not self._filling:
            self.value = next((value for value, one in self._entries if one == text), None)
            self._chosen(self.value)
