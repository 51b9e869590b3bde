-- The everyday queue: pictures, threads, holds, and wall times that can be computed again.

alter table posts add column media text;                        -- of its first part: [{"sha256", "type", "size", "alt"}]; null: none
alter table posts add column tail text;                         -- the other parts of a thread: [{"text", "media"}]; null: it is none
alter table posts add column parts bigint not null default 1;   -- how many parts it has
alter table posts add column live bigint not null default 0;    -- how many of them are on the platform
alter table posts add column wall text;                         -- its time as it was written, where that needed a zone

update posts set live = 1 where state in ('published', 'retracting', 'retracted');

create index posts_half_sent on posts (account, at, seq) where live > 0 and live < parts;

alter table attempts add column part bigint not null default 0; -- which part of its post, from 0

create table parts (                                 -- parts of a thread that are live, but for the first: that is in posts
    post        text not null references posts (id),
    nr          bigint not null,
    account     text not null,
    platform_id text not null,
    url         text,
    landed_at   bigint not null,
    primary key (post, nr)
);
create unique index parts_platform_ids on parts (account, platform_id);

create table holds (                                 -- one row keeps back one post, or every post with a tag
    id        text primary key,
    post      text references posts (id),
    tag       text,                                  -- as JSON writes it, quotes and all: so it is found in posts.tags
    reason    text not null,
    by_whom   text not null,
    at        bigint not null,
    lifted_at bigint,
    lifted_by text,
    check ((post is null) <> (tag is null))
);
create unique index holds_of_posts on holds (post) where lifted_at is null;
create unique index holds_of_tags on holds (tag) where lifted_at is null;

create table media (                                 -- what lies in the spool
    sha256  text primary key,
    type    text not null,
    size    bigint not null,
    width   bigint,
    height  bigint,
    at      bigint not null,
    by_whom text not null
);

create table zones (                                 -- by which rules the wall times of a zone were computed
    zone        text primary key,
    fingerprint text not null
);
create index posts_by_wall on posts (zone, at, seq) where wall is not null and state in ('queued', 'blocked');
