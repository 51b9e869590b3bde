-- An order that keeps a post and lays a limit on it: who may answer it, quote it, or see it at once.

alter table takedowns add column limited_by text;   -- which limit; null: none. Its decision is to keep the post
