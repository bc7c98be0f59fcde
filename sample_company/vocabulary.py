"""The words of the sample company: names, places, texts. Constants only."""

from __future__ import annotations

COUNTRIES = ("DE", "AT", "CH", "FR", "IT", "ES", "GB", "NL", "PL")
COUNTRY_WEIGHTS = (0.42, 0.08, 0.08, 0.10, 0.08, 0.07, 0.08, 0.05, 0.04)
LANGUAGES = ("de", "de", "de", "fr", "it", "es", "en", "nl", "pl")
LOCALES = ("de-DE", "de-AT", "de-CH", "fr-FR", "it-IT", "es-ES", "en-GB", "nl-NL", "pl-PL")
CURRENCIES = ("EUR", "EUR", "CHF", "EUR", "EUR", "EUR", "GBP", "EUR", "PLN")
PRICE_LEVELS = (1.0, 1.0, 1.05, 1.0, 1.0, 1.0, 0.86, 1.0, 4.3)
DIAL_CODES = ("49", "43", "41", "33", "39", "34", "44", "31", "48")
TIME_ZONES = ("Berlin", "Vienna", "Bern", "Paris", "Rome", "Madrid", "London", "Amsterdam", "Warsaw")

FIRST_NAMES: tuple[tuple[str, ...], ...] = (
    (
        "Anna",
        "Jürgen",
        "Käthe",
        "Lukas",
        "Mia",
        "Sören",
        "Björn",
        "Leonie",
        "Günther",
        "Emilia",
        "Jan-Philipp",
        "Zoë",
    ),
    ("Franz", "Elfriede", "Sepp", "Johanna", "Moritz", "Theresa", "Jörg", "Valentina"),
    ("Urs", "Regula", "Reto", "Anaïs", "Beat", "Céline", "Jürg", "Ladina"),
    ("Chloé", "Hugo", "François", "Inès", "Étienne", "Manon", "Léa", "Jean-Luc"),
    ("Giulia", "Marco", "Chiara", "Niccolò", "Francesca", "Matteo", "Elisa", "Andrea"),
    ("Lucía", "Íñigo", "María José", "Alejandro", "Begoña", "Ángel", "Noelia", "Jose\u0301"),
    ("Oliver", "Siobhán", "Amelia", "Harry", "Priya", "Mohammed", "Isla", "Jack"),
    ("Daan", "Sanne", "Joris", "Fenna", "Ruben", "Maartje", "Thijs", "Noor"),
    ("Łukasz", "Zofia", "Małgorzata", "Jakub", "Wojciech", "Agnieszka", "Żaneta", "Paweł"),
)
LAST_NAMES: tuple[tuple[str, ...], ...] = (
    (
        "Müller",
        "Schmidt",
        "Weiß",
        "Schäfer",
        "von der Heide",
        "Krüger",
        "Yılmaz",
        "Großmann",
        "Lange",
        "Nowak",
        "Böhm",
        "Fuchs",
        "Öztürk",
        "Klein",
        "Vogel",
        "Jäger",
    ),
    ("Gruber", "Huber", "Pichler", "Österreicher", "Steiner", "Mayr", "Kofler", "Hölzl"),
    ("Rüegg", "Zürcher", "Favre", "Bianchi", "Hürlimann", "Ammann", "Keller", "Dübendorfer"),
    ("Lefèvre", "D'Aubigné", "Moreau", "Girard", "Le Goff", "Noël", "Faure", "Mercier"),
    ("Rossi", "D'Angelo", "De Luca", "Ferrari", "Nicolò", "Greco", "Marino", "Conti"),
    ("García", "Núñez", "López de Ayala", "Ibáñez", "Muñoz", "Serrano", "Castaño", "Peña"),
    ("Smith", "O'Connor", "Khan", "Taylor", "Patel", "Davies", "MacLeod", "Fitzgerald-Jones"),
    ("de Vries", "van den Berg", "Jansen", "IJzerman", "Bakker", "Visser", "'t Hart", "Mulder"),
    ("Wiśniewski", "Kowalska", "Zieliński", "Dąbrowski", "Żak", "Wójcik", "Szczepański", "Lewandowska"),
)
MAIL_PROVIDERS = (
    "gmail.com",
    "gmx.de",
    "web.de",
    "outlook.com",
    "posteo.net",
    "orange.fr",
    "libero.it",
    "icloud.com",
)

COMPANY_STEMS = (
    "Nord",
    "Alpen",
    "Rhein",
    "Hanse",
    "Silber",
    "Grün",
    "Blau",
    "Adler",
    "Quer",
    "Licht",
    "Stein",
    "Wald",
)
COMPANY_TAILS = ("bau", "werk", "logistik", "design", "hotel", "klinik", "technik", "handel", "möbel", "büro")
COMPANY_FORMS = ("GmbH", "AG", "KG", "& Söhne OHG", "SARL", "S.p.A.", "Ltd", "B.V.", "Sp. z o.o.")
INDUSTRIES = ("Construction", "Hospitality", "Health", "Logistics", "Retail", "Consulting", "Manufacturing")

SEGMENTS = ("basic", "plus", "premium", "smb", "enterprise")
LEAD_SOURCES = ("Web", "Search", "Social Media", "Referral", "Store", "Partner", "Trade Show")
LEAD_WEIGHTS = (0.3, 0.25, 0.15, 0.15, 0.08, 0.04, 0.03)
CHANNELS = ("email", "chat", "voice", "web", "facebook")
"""Ways to reach support, as the help desk names them."""
CHANNEL_WEIGHTS = (0.38, 0.22, 0.16, 0.17, 0.07)

REASONS = ("late_delivery", "billing", "defect", "how_to", "return", "outage", "contract")
GROUPS = ("Service", "Billing", "Technical", "Tier 2", "Complaints")
SUBJECTS = (
    ("Where is my order?", "Lieferung überfällig", "Colis non reçu", "Order still not here 😡"),
    ("Question about my invoice", "Doppelt abgebucht", "Wrong VAT; please correct", "Rechnung fehlt"),
    ("Product is broken", "Lampe defekt – flackert", "Defekt nach zwei Tagen", "It does not switch on"),
    ("How do I pair the sensor?", "Frage zur Einrichtung", "App: add second home", "Comment configurer ?"),
    ("I want to return this", "Rücksendung", "Refund not here yet", "Retour: étiquette manquante"),
    ("Service down", "App geht nicht!!!", "Is there an outage?", "Nichts geht mehr 🤯"),
    ("Our contract", "Vertragsverlängerung", "Seats for new colleagues", "Terms; renewal"),
)
COMPLAINT_LINES = (
    "I am very disappointed.",
    "Das ist eine Frechheit!",
    "This is the third time I ask.",
    "Je suis très déçue 😞",
)
CUSTOMER_LINES = (
    "Hello,\n\nplease help me with this.\nThanks",
    'It says "error 42"; then it stops.',
    "Guten Tag,\r\nich warte seit Tagen auf Antwort. Bitte melden Sie sich unter +49 170 0000000.\r\nGrüße",
    "Write to me at another.address@example.org, please – danke schön 🙏",
    'name;value\n"a";"b, c"',
    "Ça ne marche pas… j'ai tout essayé\u200b.",
    "=1+1 is what the display shows, honestly",
)
AGENT_LINES = (
    "Hello, thank you for writing. I have looked into it and will keep you posted.",
    "Guten Tag, das tut uns leid. Ich habe es an die Kollegen weitergegeben.",
    'Hi,\n\nplease try this:\n1. Switch it off\n2. Wait; count to ten\n3. "Reset"\n\nBest, your team',
    "Bonjour\u00a0! Votre dossier est réglé. Bonne journée 🙂",
)
BOT_LINES = (
    "Thanks for your message! A colleague will be with you soon. 🤖",
    "Danke für Ihre Nachricht. Vielleicht hilft dieser Artikel weiter?",
)
NOTE_LINES = (
    "Checked with the warehouse.",
    "Kunde sehr verärgert – bitte sanft antworten.",
    "Carrier says: lost; resend.",
)

SCORE_REASONS = ("speed", "quality", "price", "staff", "delivery", "app")
PRAISE = (
    "Great, thank you!",
    "Super Service, gerne wieder 😊",
    'Fast; friendly; "just right"',
    "Très bien",
    "Alles bestens",
    "Die Einrichtung am Telefon war toll.\nDanke an das Team!",
)
GRUMBLES = (
    "Too slow.",
    "Ich habe zu lange gewartet; niemand wusste Bescheid.",
    'Arrived late, box "damaged"',
    "Nie wieder 😤",
    "Waited\nand waited\n\nand waited",
    "Call me: 0170/5550123, or mail to angry.customer@example.org",
)
SPAM = ("Buy followers now http://spam.example", "aaaaaaaaaa")

BAD_EMAILS = (
    "n/a",
    "noemail",
    "kunde@@example.com",
    "none@none",
    "max.mustermann(at)gmx.de",
    "-",
    "test@localhost",
)
FORMULAS = ('=HYPERLINK("http://evil.example","click")', "=cmd|' /C calc'!A0", "+SUM(1,1)", "@SUM(A1)")

AGENT_FIRST = (
    "Ines",
    "Tarek",
    "Maren",
    "Ole",
    "Svenja",
    "Piotr",
    "Amara",
    "Kostas",
    "Yuki",
    "Bente",
    "Rafael",
    "Nele",
)
AGENT_LAST = (
    "Adler",
    "Brandt",
    "Claasen",
    "Demir",
    "Evers",
    "Fiedler",
    "Gerlach",
    "Hoang",
    "Iversen",
    "Jansson",
    "Kaya",
)
