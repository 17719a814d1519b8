"""The errors a user can mend, and the one that means the user stopped the work.

Every message is one line that says what is wrong, where, and how to mend it. Front doors show it as it is:
the command line prints it and exits with status 2 (130 for a cancelled run).
"""

from functools import partial


class InputError(ValueError):
    """Bad input: the message is one line for the person at the screen (what, where, how to mend it)."""

    def __init__(self, what: str, *, where: object = None, mend: str = ""):
        self.what, self.where, self.mend = what, where, mend
        message = what if where is None else f"{where}: {what}"
        if mend:
            message = f"{message.rstrip('.')}. {mend}"
        super().__init__(" ".join(message.split()))


class MissingFacts(InputError):
    """Acquisition facts that neither the header nor the protocol file gives.

    `facts` maps the protocol key of each missing fact to its explanation, so that a window can ask for them.
    """

    def __init__(self, facts: dict[str, str], *, where: object = None):
        self.facts = dict(facts)
        named = "; ".join(f"{key} ({explanation})" for key, explanation in facts.items())
        super().__init__(f"missing acquisition facts: {named}", where=where,
                         mend="Give them in a JSON file with --protocol, under these names.")

    def __reduce__(self):
        """Made again from its facts when a child process hands it over."""
        return partial(MissingFacts, where=self.where), (self.facts,)


class Cancelled(Exception):
    """The user stopped the work. Nothing was written."""
