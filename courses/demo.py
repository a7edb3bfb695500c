"""The demo's people and courses, written for this project. `manage.py load_demo` puts them in."""

from dataclasses import dataclass
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


DEPARTMENTS: Final = {
    "Business & Finance": "Money, customers and the papers that go with them.",
    "Health & Care": "For those who look after others, at home or at work.",
    "Technology": "From the first line of code to a network that works.",
    "Creative Arts & Design": "Pictures, cloth, sound and words.",
    "Languages & Communication": "Say it, write it, and be understood.",
    "Trades & Practical Skills": "Work with your hands that people pay for.",
}

CATALOGUE: Final[dict[str, tuple[DemoCourse, ...]]] = {
    "Business & Finance": (
        DemoCourse(
            "Bookkeeping for Market Traders",
            "Keep honest books with a notebook or a phone: daily sales, stock, credit given to customers, and what is"
            " really left at the end of the week.",
            ("Money in, money out", "Stock that does not vanish", "Credit customers", "Your first monthly statement"),
            "4 hours",
        ),
        DemoCourse(
            "Pricing a Small Service Business",
            "Work out what an hour of your work must cost, quote with confidence, and stop losing money on jobs that"
            " looked good on paper.",
            (
                "Costs you forget",
                "Hours you can really sell",
                "Writing a quote",
                "Raising a price without losing people",
            ),
            "3 hours, 30 minutes",
        ),
        DemoCourse(
            "Reading Financial Statements",
            "Balance sheet, income statement and cash flow of three real-life shops, line by line, until the numbers"
            " start to speak.",
            ("The three statements", "Profit is not cash", "Ratios that matter", "A case: the growing bakery"),
            "6 hours",
        ),
        DemoCourse(
            "Import and Export Basics for West Africa",
            "From the first supplier mail to goods released at the port: terms, papers, duties, and where shipments"
            " usually get stuck.",
            ("Incoterms in plain words", "Papers and who issues them", "Duties and levies", "Insuring the journey"),
            "5 hours",
        ),
        DemoCourse(
            "Raising Money from Family and Friends",
            "Take money from people you love and stay on speaking terms: agreements, shares or loans, and what to say"
            " when things go badly.",
            ("Loan or share?", "A one-page agreement", "Reporting to your backers"),
            "2 hours",
        ),
    ),
    "Health & Care": (
        DemoCourse(
            "First Aid at Home and at Work",
            "What to do in the first ten minutes: bleeding, burns, choking, fainting and a heart that stops, practised"
            " step by step.",
            ("Look, call, help", "Bleeding and burns", "Choking", "Chest compressions", "Your first aid box"),
            "5 hours, 20 minutes",
        ),
        DemoCourse(
            "Caring for an Ageing Parent",
            "Everyday care with dignity: lifting without hurting your back, medicines on time, memory loss, and looking"
            " after yourself too.",
            ("The safe home", "Moving and lifting", "Medicines", "When memory fades", "Asking for help"),
            "6 hours",
        ),
        DemoCourse(
            "Food Safety for Small Kitchens",
            "Keep a canteen, a food stall or a catering business safe: temperatures, storage, cleaning and the records"
            " that inspectors ask for.",
            ("What makes people ill", "Cold, hot and in between", "Cleaning that counts", "Records in five minutes"),
            "3 hours",
        ),
        DemoCourse(
            "Mental Health First Response",
            "Recognise distress in a colleague or friend, listen without judging, and know when and how to bring in a"
            " professional.",
            ("Signs of distress", "Listening", "Crisis and safety", "Where help is found"),
            "4 hours",
        ),
        DemoCourse(
            "Infection Control for Clinic Staff",
            "Hands, gloves, surfaces, sharps and waste: the routines that keep patients and staff from infecting each"
            " other.",
            ("How infection travels", "Hands first", "Sharps and waste", "An outbreak, hour by hour"),
            "4 hours, 45 minutes",
        ),
    ),
    "Technology": (
        DemoCourse(
            "Python from the First Line",
            "Learn to program by building small things that work: a price calculator, a quiz, a tidy-up script for a"
            " messy folder.",
            ("Values and names", "Decisions", "Repeating", "Functions", "Files", "A program of your own"),
            "12 hours",
        ),
        DemoCourse(
            "Spreadsheets That Do Not Break",
            "Build sheets that others can use: clean tables, lookups that survive a new column, checks that catch"
            " mistakes early.",
            ("One table, one thing", "Lookups", "Dates and text", "Summaries", "Checks and protection"),
            "5 hours",
        ),
        DemoCourse(
            "Databases and SQL for Analysts",
            "Ask a database your own questions: joins, groups, windows, and how to tell whether an answer can be"
            " trusted.",
            ("Tables and keys", "Joining", "Grouping", "Window functions", "Is this answer right?"),
            "9 hours",
        ),
        DemoCourse(
            "Networks for Beginners",
            "What happens between your phone and a website: addresses, names, routers, Wi-Fi that works, and finding"
            " the fault when it does not.",
            ("Packets and addresses", "Names", "Wi-Fi", "Finding faults"),
            "6 hours, 30 minutes",
        ),
        DemoCourse(
            "Staying Safe Online",
            "Passwords, phishing, public Wi-Fi and stolen phones: an afternoon that makes you a hard target.",
            ("How accounts are stolen", "Passwords and second factors", "Spotting a fraud", "When it has happened"),
            "2 hours, 30 minutes",
        ),
    ),
    "Creative Arts & Design": (
        DemoCourse(
            "Photography with the Phone You Have",
            "Light, framing, portraits and products: pictures that sell and stay in memory, without buying a camera.",
            ("Seeing light", "Framing", "People", "Products on a table", "Editing lightly"),
            "4 hours",
        ),
        DemoCourse(
            "Fashion Sketching",
            "From stick figure to a collection on paper: proportion, drape, fabric and the flat drawing a tailor can"
            " sew from.",
            ("Proportion", "Fabric and fold", "Flat drawings", "A collection of six"),
            "7 hours",
        ),
        DemoCourse(
            "Graphic Design Foundations",
            "Type, colour, space and hierarchy, learned by redesigning a flyer, a menu and a logo.",
            ("Looking closely", "Type", "Colour", "Grids", "A flyer", "A logo"),
            "8 hours",
        ),
        DemoCourse(
            "Songwriting: Verse to Chorus",
            "Find a line worth singing, build a chorus that lifts, and finish songs instead of collecting beginnings.",
            ("One true line", "Melody and stress", "The chorus", "Finishing"),
            "5 hours",
        ),
        DemoCourse(
            "Video Editing for Social Media",
            "Cut short videos that hold attention: story first, then rhythm, sound, captions and the right format.",
            ("The first three seconds", "Cutting on rhythm", "Sound", "Captions", "Publishing"),
            "4 hours, 15 minutes",
        ),
    ),
    "Languages & Communication": (
        DemoCourse(
            "Business English for Meetings",
            "Open, interrupt politely, disagree, sum up: the phrases and the confidence for meetings in English.",
            ("Opening", "Having your say", "Disagreeing well", "Summing up", "The mail afterwards"),
            "6 hours",
        ),
        DemoCourse(
            "Yoruba for Complete Beginners",
            "Greetings, tones, family, food and the market: speak from the first lesson, with recordings by three"
            " teachers from Ibadan.",
            ("Tones", "Greetings for every hour", "Family", "At the market", "Telling a story"),
            "10 hours",
        ),
        DemoCourse(
            "French for Travellers in West Africa",
            "Borders, buses, markets and guest houses from Cotonou to Dakar, in the French that is spoken there.",
            ("At the border", "On the road", "Eating and sleeping", "When something goes wrong"),
            "7 hours, 30 minutes",
        ),
        DemoCourse(
            "Public Speaking Without Fear",
            "Prepare less text and more thought, use your nerves, and end a talk so that people remember it.",
            ("What fear does", "One idea", "Voice and pause", "Slides, if any", "Questions"),
            "3 hours, 45 minutes",
        ),
        DemoCourse(
            "Writing Reports That Get Read",
            "Put the answer first, cut what nobody needs, and make tables and charts carry their share.",
            ("Who reads this?", "The answer first", "Cutting", "Tables and charts"),
            "3 hours",
        ),
    ),
    "Trades & Practical Skills": (
        DemoCourse(
            "Solar Installation for Homes",
            "Size, mount and wire a small solar system safely, from the roof to the battery, and keep it running.",
            ("How much do you need?", "Panels and mounting", "Batteries", "Wiring and protection", "Handing over"),
            "9 hours, 30 minutes",
        ),
        DemoCourse(
            "Tailoring: From Measure to Garment",
            "Take measurements that fit, draft a pattern, cut without waste and sew a lined skirt and a shirt.",
            ("Measuring", "Drafting", "Cutting", "Seams", "A shirt", "A lined skirt"),
            "11 hours",
        ),
        DemoCourse(
            "Poultry Keeping for Profit",
            "Housing, feed, vaccination and sales for a flock of one hundred birds, with the sums worked out.",
            ("Choosing birds", "Housing", "Feed and water", "Health", "Selling", "The sums"),
            "6 hours, 30 minutes",
        ),
        DemoCourse(
            "Household Electrical Repairs",
            "Sockets, switches, lamps and fuses: find the fault, repair what you may, and know when to stop.",
            ("Safety first", "Reading a circuit", "Sockets and switches", "Finding faults"),
            "5 hours",
        ),
        DemoCourse(
            "Baking Bread to Sell",
            "Four breads, one oven, repeatable results: recipes by weight, timing a night shift and pricing a loaf.",
            ("Flour and water", "Four breads", "Timing", "Packing and pricing"),
            "5 hours, 30 minutes",
        ),
    ),
}

FREE_DEPARTMENT: Final = "Technology"
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
        "Technology",
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
        "Creative Arts & Design",
        DemoCourse(
            "Afrobeat Production in a Bedroom Studio",
            "Drums that dance, a bass that leads, and a mix that survives a car radio, made with free software.",
            ("Groove", "Bass and keys", "Recording a voice", "Mixing", "Releasing"),
            "9 hours",
            (Money(2_200_000, "NGN"), Money(2_900, "USD"), Money(2_300, "GBP"), Money(2_700, "EUR")),
        ),
    ),
    (
        "Languages & Communication",
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
