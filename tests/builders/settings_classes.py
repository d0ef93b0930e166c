"""Every settings class of the project and the variables that it reads."""

import importlib
import pkgutil

from pydantic_settings import BaseSettings

import artifacts
import crawlers
import dags
import pipelines
import recommender
import serving
import sql
import ukok
from ukok.settings import Settings


def settings_classes() -> list[type[BaseSettings]]:
    """The classes in modules named ``settings``, without the two base classes."""
    found: set[type[BaseSettings]] = set()
    for package in (ukok, sql, artifacts, crawlers, recommender, pipelines, serving, dags):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".settings"):
                members = vars(importlib.import_module(module.name)).values()
                found |= {member for member in members if isinstance(member, type) and issubclass(member, BaseSettings)}
    return sorted(found - {BaseSettings, Settings}, key=lambda one: (one.__module__, one.__name__))


def variables(settings: type[BaseSettings]) -> set[str]:
    """Names of the environment variables of a class."""
    return {f"{settings.model_config['env_prefix']}{name}".upper() for name in settings.model_fields}
