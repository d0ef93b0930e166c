"""Base class of every settings class, and the parser of lists in them."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)


class Settings(BaseSettings):
    """Settings read from ``UKOK_*`` environment variables, then from ``.env``; a blank value means unset.

    ``var_dir`` holds everything that a run writes on this machine.
    """

    model_config = SettingsConfigDict(env_prefix="UKOK_", env_file=".env", extra="ignore")

    var_dir: Path = Path("var")

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - passed through
        """Read the settings; an error names the setting, or the file that is not in UTF-8."""
        try:
            super().__init__(**values)
        except UnicodeDecodeError:
            raise SettingsError("the file .env is not in UTF-8: save it in that encoding") from None
        except SettingsError as error:
            if field := re.search(r'field "(\w+)"', str(error)):
                raise SettingsError(f"setting UKOK_{field[1].upper()}: {error.__cause__}") from None
            raise

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - a hook takes what its library passes
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Drop blank values; ``env_ignore_empty`` would leave those of spaces only."""
        for source in (env_settings, dotenv_settings):
            if isinstance(source, EnvSettingsSource):
                source.env_vars = {name: value for name, value in source.env_vars.items() if value and value.strip()}
        return init_settings, env_settings, dotenv_settings


def parse_list(value: object) -> object:
    """Parse a JSON list, or texts separated by commas."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        return json.loads(value)
    return [each.strip() for each in value.split(",") if each.strip()]
