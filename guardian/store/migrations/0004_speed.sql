-- What a year's plan needs to be read quickly: the order of a state's posts by their index, and no index entries for the
-- platform's ids that are not there yet.

drop index posts_by_state;
create index posts_by_state on posts (state, at, seq);

drop index posts_platform_ids;
create unique index posts_platform_ids on posts (account, platform_id) where platform_id is not null;
