"""A scripted client of the API: prints each call with its response, and produces events.

Signs up, reads the schedule, opens a product, looks up recipes for it and their missing ingredients, and logs a click.
`make demo-client` runs it once against the API that `make run` serves.
"""

import argparse
import secrets
import sys
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import quote, unquote

import httpx
from rich.console import Console

MAX_SHOWS = 5  # that are opened to find an ingredient with recipes
TIMEOUT_SECONDS = 30.0


class Failed(RuntimeError):
    """The client cannot go on; the message says why and what to do."""


class Visitor:
    """One user with a token; prints a line for each call."""

    def __init__(self, http: httpx.Client, console: Console) -> None:
        self.milliseconds: list[float] = []
        self._http = http
        self._console = console

    def log_in(self, email: str, password: str) -> None:
        """Get a token and send it with all later calls."""
        form = {"grant_type": "password", "username": email, "password": password}
        token = self.call("POST", "/api/user/login", lambda _: "logged in", data=form)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, summarise: Callable[[Any], str], **params: str) -> Any:  # noqa: ANN401 - JSON
        """GET a path; ``summarise`` words the response."""
        return self.call("GET", path, summarise, params=params)

    def post(self, path: str, summarise: Callable[[Any], str], body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """POST JSON to a path; ``summarise`` words the response."""
        return self.call("POST", path, summarise, json=body)

    def call(self, method: str, path: str, summarise: Callable[[Any], str], **sent: Any) -> Any:  # noqa: ANN401 - JSON
        """Make a call, print its line and return the JSON of the response; raise :class:`Failed` if it is an error."""
        try:
            response = self._http.request(method, path, **sent)
        except httpx.TransportError as error:
            where = self._http.base_url
            raise Failed(f"no API at {where} ({error}): start it with `make run`, or name it with --url") from None
        taken = response.elapsed.total_seconds() * 1000
        summary = summarise(response.json()) if response.is_success else response.text
        line = f"{method:<5}{unquote(path):<54} {response.status_code} {taken:>7.1f} ms  {summary}"
        self._console.print(line, style=None if response.is_success else "red", markup=False, soft_wrap=True)
        if not response.is_success:
            raise Failed(f"{method} {path} failed with {response.status_code}; see the log of the API")
        self.milliseconds.append(taken)
        return response.json()


def main() -> int:
    """Run the visitors one after the other; return 1, with the reason in one line, if one of them could not finish."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="base URL of the API")
    parser.add_argument("--visitors", type=int, default=1, help="number of visitors, one after the other")
    parser.add_argument("--seed", type=int, default=0, help="seed of their random choices")
    args = parser.parse_args()
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal may lack characters
    console = Console(highlight=False)
    random = Random(args.seed)  # noqa: S311 (no secret depends on it)
    milliseconds: list[float] = []
    try:
        for number in range(1, args.visitors + 1):
            console.print(f"Visitor {number}", style="bold")
            with httpx.Client(base_url=args.url, timeout=TIMEOUT_SECONDS) as http:
                visitor = Visitor(http, console)
                visit(visitor, random)
            milliseconds += visitor.milliseconds
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    mean = sum(milliseconds) / max(len(milliseconds), 1)
    console.print(f"{args.visitors} visitors, {len(milliseconds)} calls, {mean:.1f} ms each, none failed", style="bold")
    return 0


def visit(visitor: Visitor, random: Random) -> None:
    """Make all calls of one visitor, from the sign-up to the click."""
    sign_up(visitor)
    product_id, recipes = find_recipes(visitor, random)
    position = random.randrange(len(recipes))
    recipe = recipes[position]
    buy_missing(visitor, random, recipe["recipe_id"])
    click = {
        "action": "recommendation_click",
        "path": f"/recipes/{recipe['recipe_id']}",
        "label": recipe["recipe_name"],
        "extra_data": {
            "recipe_id": recipe["recipe_id"],
            "product_id": product_id,
            "position": position + 1,
            "release_version": recipe["release_version"],
        },
    }
    visitor.post("/api/log/user/activity", lambda logged: f"stored as {logged['event_id']}", click)


def sign_up(visitor: Visitor) -> None:
    """Create a new account and log in."""
    email, password = f"visitor-{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(12)
    account = {"email": email, "password": password, "username": "손님"}
    visitor.post("/api/user/signup", lambda made: f"account {made['user_id']}", account)
    visitor.log_in(email, password)


def find_recipes(visitor: Visitor, random: Random) -> tuple[int, list[dict[str, Any]]]:
    """Open shows of the schedule until one sells an ingredient; return its product id and the recipes for it."""
    schedule = visitor.get("/api/homeshopping/schedule", lambda day: f"{len(day['schedules'])} shows of food")
    shows = schedule["schedules"]
    if not shows:
        raise Failed("the API has no shows of today or later: load a schedule (`make run` does it on demo sources)")
    today = [show for show in shows if show["live_date"] == shows[0]["live_date"]]
    for show in random.sample(today, min(len(today), MAX_SHOWS)):
        product_id = show["product_id"]
        path = f"/api/homeshopping/product/{product_id}"
        visitor.get(f"/api/homeshopping/product/{show['live_id']}", lambda page: page["product"]["product_name"])
        check = visitor.get(
            f"{path}/check", lambda found: "an ingredient" if found["is_ingredient"] else "no ingredient"
        )
        if not check["is_ingredient"]:
            continue
        cards = visitor.get(f"{path}/recipe-recommend", lambda found: f"{len(found['recipes'])} recipes")
        if cards["recipes"]:
            return product_id, cards["recipes"]
    raise Failed("none of the opened shows has recipes: import recipes, or try another --seed")


def buy_missing(visitor: Visitor, random: Random, recipe_id: int) -> None:
    """Read a recipe, look up products for one of its missing ingredients, and search the mall for it."""
    visitor.get(f"/api/recipes/{recipe_id}", lambda recipe: recipe["recipe_title"])
    status = visitor.get(f"/api/recipes/{recipe_id}/status", lambda has: f"{has['summary']['not_owned_count']} missing")
    missing = [row["material_name"] for row in status["ingredients"] if row["status"] == "not_owned"]
    # A name is one segment of a path; the server would split it at %2F.
    missing = [name for name in missing if "/" not in name]
    if not missing:
        return
    name = random.choice(missing)
    visitor.get(f"/api/recipes/{quote(name)}/product-recommend", lambda found: f"{found['total_count']} products")
    visitor.get("/api/kok/search", lambda found: f"{found['total']} products of the mall", keyword=name)
    visitor.post("/api/kok/search/history", lambda _: f"stored {name}", {"keyword": name})


if __name__ == "__main__":
    sys.exit(main())
