"""Notes by their title, once more."""

from __future__ import annotations

from cases.notebook import case_for

CASE = case_for("forgetful")
