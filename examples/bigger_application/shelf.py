"""The library's state, held in memory: an example's stand-in for a database."""

from dataclasses import dataclass, field
from datetime import date, timedelta

LOAN_DAYS = 21


class NotPossible(Exception):
    """Something the library can't do, with a sentence that says why."""


@dataclass(slots=True)
class Loan:
    """A book that somebody has at home."""

    isbn: str
    card: str
    due: date


@dataclass(slots=True)
class Shelf:
    """Books by ISBN, with the loans that are out."""

    titles: dict[str, str] = field(default_factory=dict)
    loans: dict[str, Loan] = field(default_factory=dict)

    def lend(self, isbn: str, card: str, today: date) -> Loan:
        """Lends a book for three weeks.

        Raises:
            KeyError: the library doesn't have it.
            NotPossible: somebody has it.
        """
        if isbn not in self.titles:
            raise KeyError(isbn)
        if isbn in self.loans:
            raise NotPossible(f"{self.titles[isbn]} is lent until {self.loans[isbn].due}")
        self.loans[isbn] = Loan(isbn, card, today + timedelta(days=LOAN_DAYS))
        return self.loans[isbn]

    def overdue(self, today: date) -> list[Loan]:
        """Returns the loans that should be back."""
        return [loan for loan in self.loans.values() if loan.due < today]


SHELF = Shelf(
    titles={
        "9780141439518": "Pride and Prejudice",
        "9780141439556": "Wuthering Heights",
        "9780141441146": "Jane Eyre",
    }
)
