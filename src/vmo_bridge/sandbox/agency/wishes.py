"""What people ask for that does not exist yet, in many words, and what answers say otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """A matter asked for: ``said`` in surveys, ``demand``, ``epic`` and ``stories`` later on.

    ``words`` tell it in any wording (none of them is in a ticket of a service it fits);
    ``unfit`` are services whose tickets speak of something like it.
    """

    key: str
    words: tuple[str, ...]
    unfit: tuple[str, ...]
    said: tuple[str, ...]
    demand: tuple[str, str]
    epic: tuple[str, str]
    stories: tuple[str, ...]


WISHES = (
    Wish(
        "use on the phone",
        ("phone", "mobile", "tablet", "small screen", "handheld", "touch"),
        (),
        (
            "{service} cannot be used on my phone, everything is cut off at the edge.",
            "Please make a mobile version of {service}, I am hardly ever at a desk.",
            "When will {service} work on a tablet?",
            "On a small screen {service} is unusable: I zoom and scroll for every field.",
            "i need {service} on the moblie phone, the laptop stays in the car",
            "Would love to do my entries on the handheld instead of typing them up at night.",
            "buttons of {service} are far too tiny for touch, nothing for on site work",
            "Why is there no app or at least a page that fits a phone?",
            "We note everything on paper because {service} does not fit the tablett we were given.",
            "The smartphone shows half of the form only. Mobile use should be a matter of course.",
            "Every colleague of mine asks the same: {service} on mobile devices, please.",
            "a page for phones would save me an hour a day in {service}",
        ),
        (
            "Mobile access to {service}",
            "Staff away from their desks shall use {service} on phones and tablets.",
        ),
        (
            "Responsive front end for {service}",
            "The pages of {service} adapt to small screens: handheld first, then tablet.",
        ),
        (
            "Layout grid for narrow screens", "Touch targets of at least 44 pixels",
            "Forms in one column on handhelds", "Navigation as a drawer",
            "Try-out with ten phones of the agency", "Pictures in smaller sizes",
        ),
    ),
    Wish(
        "work without connection",
        ("offline", "connection", "no signal", "no network", "reception"),
        ("Map and Geodata",),
        (
            "{service} should work offline, there is no reception where we are.",
            "Without a network connection I cannot fill in anything in {service}.",
            "no signal in the valleys, so {service} is of no use there",
            "An off-line mode would help, entries could be sent later.",
            "We sit in cellars without conection and write on paper.",
            "Let us work when there is no network and sync in the evening.",
            "Can {service} keep my entries until there is a connection again?",
            "Out there is no reception. {service} just spins.",
            "offline please!!",
            "It is 2026 and I still type my paper notes because {service} needs the net.",
            "Working disconnected is what we miss most in {service}.",
            "Dead spots everywhere; {service} needs to bridge them.",
        ),
        (
            "Work in {service} without a connection",
            "Entries are made offline and sent when there is a network again.",
        ),
        (
            "Local store and later transfer for {service}",
            "What is entered without network is kept on the device and sent afterwards.",
        ),
        (
            "Keep entries on the device", "Send what has waited", "Tell apart what was sent",
            "Two changes of the same entry", "Encrypt what is kept", "Show the state of transfer",
        ),
    ),
    Wish(
        "start from an earlier entry",
        ("copy", "duplicate", "clone", "reuse", "re-use", "prefill", "pre-fill", "last year"),
        ("Records Archive", "Case Management"),
        (
            "I want to copy an earlier entry in {service} instead of typing it all again.",
            "Why can't {service} reuse what I entered last year?",
            "A button to duplicate an entry would spare me hours.",
            "please prefill the form with my former data",
            "Cloning old entries in {service} - is that so hard?",
            "every year the same forty fields, {service} should take them over from last year",
            "It would be great to start from a copie of an existing one.",
            "Re-use of previous entries is missing in {service}.",
            "Nothing is taken over from the one before, so I copy field by field.",
            "pre-filled values from the last time, that's all i ask",
            "We need a 'make another like this' in {service}.",
            "Typing the same again and again. Let me duplicate it!",
        ),
        (
            "Take over earlier entries in {service}",
            "A new entry may begin as a copy of an earlier one.",
        ),
        (
            "Clone function in {service}",
            "Duplicate a former entry as the starting point of a new one.",
        ),
        (
            "Choose the entry to start from", "Fields that must not be taken over",
            "Button in the list", "Note where a clone came from", "Rights on the original",
            "Attachments of the original",
        ),
    ),
    Wish(
        "change many at a time",
        ("one by one", "in one go", "several", "multiple", "bulk"),
        ("Records Archive",),
        (
            "Changing entries one by one in {service} takes a whole afternoon.",
            "Let me mark several and change them in one go.",
            "Bulk edit for {service}, please.",
        ),
        (
            "Change several entries of {service} in one go",
            "Whoever is responsible for many entries changes multiple of them together.",
        ),
        (
            "Multiple selection in {service}",
            "Select several rows, change them together, see what was changed.",
        ),
        (
            "Select rows", "Choose the change", "Preview before it is done",
            "Undo within an hour", "Report of what was changed", "Limit of rows",
        ),
    ),
)  # fmt: skip

#: Titles of everyday demands.
DEMANDS = (
    "Electronic signature in {service}", "Link between {service} and the public register",
    "Monthly figures of {service} for the board", "Second language in {service}",
    "New hosting of {service}", "Two-person check in {service}",
    "Replace the form engine of {service}", "Access report of {service} for the auditors",
    "Reminders before dates run out in {service}", "Plain words in {service}",
)  # fmt: skip
#: Titles of everyday stories and bugs.
STORIES = (
    "Describe the data that is exchanged", "Write the interface", "Check the rights of each role",
    "Screen for the clerk", "Messages in plain words", "Load test", "Texts and help pages",
    "Migration of old rows", "Notes for the release", "Acceptance with the bureau",
    "Logging of changes", "Settings for the operator",
)  # fmt: skip
BUGS = (
    "Sum is wrong when a row is removed", "Date of the next day is shown in the evening",
    "Umlauts are cut in the export", "Dialog stays open after saving", "Sort order is forgotten",
    "Empty page for users without a role",
)  # fmt: skip
EDITS = (
    "Wording made clearer.", "Link to the style guide added.", "Moved to the next quarter's list.",
    "Estimate discussed, no decision.", "Contact person changed.", "Typo corrected.",
)  # fmt: skip
LABELS = ("backlog", "needs-estimate", "q3", "q4", "on-the-list", "portfolio-review")

PRAISE = (
    "Works well for me.", "Reliable, keep it up.", "I like it.", "No complaints.",
    "Friendly people behind it.", "Does what it should.", "Better than two years ago.",
)  # fmt: skip
GRUMBLE = (
    "Looks old-fashioned.", "Too many clicks for simple things.", "Nobody told us what changed.",
    "The manual is too long.", "Hard to find out whom to ask.", "Slow on Mondays.",
)  # fmt: skip
NEW_AND_GOOD = (
    "The new start page of {service} is great!", "Love the fresh start page in {service}.",
    "new landing page = much clearer, thanks", "Well done, the start page is easy to read now.",
    "I find everything from the new start page.", "start page of {service}: big step forward",
    "Finally a start page that helps. Thank you.",
)  # fmt: skip
