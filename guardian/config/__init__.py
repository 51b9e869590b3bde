"""The configuration: one TOML file in, `Settings` or every mistake in it out."""

from guardian.config.settings import Fault, Settings, check, load, parse_duration, read, template

__all__ = ["Fault", "Settings", "check", "load", "parse_duration", "read", "template"]
