"""All mutants, by their names."""

from __future__ import annotations

from tests.mutations.mutants_dialect import TELLING
from tests.mutations.mutants_gate import LEAVING
from tests.mutations.mutants_incident import READING, RETRACTING
from tests.mutations.mutants_passage import SENDING
from tests.mutations.mutants_stop import REST, STOPPING_AND_ARMING
from tests.mutations.mutants_takedown import TAKING_DOWN

MUTANTS = SENDING + LEAVING + STOPPING_AND_ARMING + REST + RETRACTING + READING + TAKING_DOWN + TELLING
