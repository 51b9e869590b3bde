-- A digest over what of a post never changes, so that a byte that rots in its text is never published. SQLite has no
-- checksums of its own. Null: entered before there were seals.

alter table posts add column seal text;
