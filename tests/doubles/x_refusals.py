"""How X says no, word for word as its documentation and public reports have it. Status, and JSON body."""

from __future__ import annotations

PROBLEM = "https://api.twitter.com/2/problems/"
UNPAID = (402, {"title": "CreditsDepleted", "type": PROBLEM + "credits", "account_id": 1,
                "detail": "Your enrolled account [1] does not have any credits to fulfill this request."})  # fmt: skip
DUPLICATE = (403, {"detail": "You are not allowed to create a Tweet with duplicate content.", "type": "about:blank",
                   "title": "Forbidden", "status": 403})  # fmt: skip
SUSPENDED = (403, {"detail": "The user used for authentication is suspended", "title": "Forbidden", "status": 403,
                   "type": PROBLEM + "user-suspended"})  # fmt: skip
READ_ONLY = (403, {"title": "Forbidden", "type": PROBLEM + "oauth1-permissions", "status": 403,
                   "detail": "Your client app is not configured with the appropriate oauth1 app permissions for this "
                             "endpoint."})  # fmt: skip
UNAUTHORISED = (401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})
NOT_PERMITTED = {"detail": "You are not permitted to perform this action.", "type": "about:blank",
                 "title": "Forbidden", "status": 403}  # fmt: skip
NO_RIGHT = (403, {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "Forbidden"})
OUT_OF_BOUNDS = (401, {"errors": [{"message": "Timestamp out of bounds.", "code": 135}]})
