"""The demo's people and their courses, written for this project. `manage.py load_demo` puts them in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from learning247.kit.money import Money

PASSWORD: Final = "open-sesame-2026"  # noqa: S105 - known to everybody on purpose, refused in production
ADMIN: Final = "admin@demo.example.com"
CREATOR: Final = "creator@demo.example.com"
LEARNER: Final = "learner@demo.example.com"
SIGN_INS: Final = (("administrator", ADMIN), ("creator", CREATOR), ("learner", LEARNER))


@dataclass(frozen=True, slots=True)
class DemoCourse:
    title: str
    description: str
    modules: tuple[str, ...]
    duration: str
    prices: tuple[Money, ...] = ()

    @property
    def curriculum(self) -> str:
        return "\n".join(f"Module {number:02}: {module}" for number, module in enumerate(self.modules, start=1))


# 1,080 courses in 30 departments, in the format that operators import.
CATALOGUE: Final = Path(__file__).parent / "catalogue"

FREE_DEPARTMENT: Final = "Personal Development"
FREE_COURSE: Final = DemoCourse(
    "Learning Online: a Short Guide",
    "How to get through a course that you started: a plan for the week, notes that help, and what to do when you fall"
    " behind. Free of charge.",
    ("A plan you can keep", "Notes", "Falling behind and catching up"),
    "45 minutes",
    (Money(0, "NGN"), Money(0, "USD"), Money(0, "GBP"), Money(0, "EUR")),
)

CREATORS_COURSES: Final[tuple[tuple[str, DemoCourse], ...]] = (
    (
        "Computing & Programming",
        DemoCourse(
            "Ship Your First Web Shop",
            "Build a small shop that takes real orders: pages, a basket, payment by hosted checkout, and the mail that"
            " says thank you.",
            ("What a shop needs", "Pages", "The basket", "Taking payment", "Going live"),
            "8 hours",
            (Money(1_800_000, "NGN"), Money(2_400, "USD"), Money(1_900, "GBP"), Money(2_200, "EUR")),
        ),
    ),
    (
        "Music & Performing Arts",
        DemoCourse(
            "Afrobeat Production in a Bedroom Studio",
            "Drums that dance, a bass that leads, and a mix that survives a car radio, made with free software.",
            ("Groove", "Bass and keys", "Recording a voice", "Mixing", "Releasing"),
            "9 hours",
            (Money(2_200_000, "NGN"), Money(2_900, "USD"), Money(2_300, "GBP"), Money(2_700, "EUR")),
        ),
    ),
    (
        "Languages",
        DemoCourse(
            "Nigerian Pidgin for Newcomers",
            "Understand what is said around you and answer back with a smile: sounds, everyday talk, jokes and when"
            " not to use it.",
            ("How far?", "Food and transport", "Work talk", "Jokes and proverbs"),
            "4 hours, 30 minutes",
            (Money(950_000, "NGN"), Money(1_250, "USD"), Money(999, "GBP"), Money(1_150, "EUR")),
        ),
    ),
)
