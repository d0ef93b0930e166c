"""Coarse label of the device of a login, by which its owner knows it: browser and system, without versions."""

# Looked for in this order: a browser names those that it resembles, too.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Whale/": "Whale",
    "SamsungBrowser": "Samsung Internet",
    "KAKAOTALK": "KakaoTalk",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def device_label(user_agent: str | None) -> str | None:
    """Return ``Chrome, Windows`` and the like, of fixed words only; None when neither part is known."""
    names = (_first(user_agent or "", words) for words in (BROWSERS, SYSTEMS))
    return ", ".join(name for name in names if name) or None


def _first(user_agent: str, words: dict[str, str]) -> str | None:
    return next((name for word, name in words.items() if word in user_agent), None)
