-- The house as it was first built. Written in the subset that SQLite and PostgreSQL share: text ids, times as integers
-- (milliseconds since 1970, UTC), lists and objects as JSON text. {states} and {outcomes} are filled in from the law.

create table posts (
    id          text primary key,
    seq         bigint not null unique,              -- order of entry, decides between posts of the same time
    account     text not null,
    state       text not null check (state in ({states})),
    at          bigint not null,                     -- when it is due
    entered_at  bigint not null,                     -- when a person last put it into the queue
    zone        text,
    text        text not null,
    warning     text,
    language    text,
    visibility  text,
    tags        text not null,
    ref         text,
    digest      text not null,                       -- of the content: the same ref with other content is an error
    why         text,                                -- why it is where it is, in words
    platform_id text,
    url         text,
    created_at  bigint not null,
    created_by  text not null,
    changed_at  bigint not null,
    check (state <> 'published' or platform_id is not null),     -- no false success (invariant I7)
    unique (account, ref)
);
create index posts_due on posts (account, state, at, seq);
create unique index posts_platform_ids on posts (account, platform_id);   -- one post there is one post here
create index posts_by_state on posts (state, at);

create table attempts (
    id         text primary key,
    post       text not null references posts (id),
    account    text not null,
    key        text not null,                        -- the idempotency key, the same for every attempt of the same content
    started_at bigint not null,
    ended_at   bigint,
    outcome    text check (outcome in ({outcomes})),
    detail     text,
    looks      integer not null default 0,           -- how often the platform was asked for it
    looked_at  bigint,
    check ((ended_at is null) = (outcome is null))
);
create unique index attempts_open on attempts (post) where ended_at is null;   -- at most one at a time (invariant I6)
create index attempts_of_post on attempts (post, started_at);
create index attempts_of_account on attempts (account, started_at);
create index attempts_ended on attempts (ended_at);

create table freezes (
    id            text primary key,
    scope         text not null,
    reason        text not null,
    by_whom       text not null,
    at            bigint not null,
    epoch         bigint not null,
    mark          text,                              -- of the marker that it left beside the gate
    lifted_at     bigint,
    lifted_by     text,
    lifted_reason text
);
create index freezes_in_force on freezes (scope) where lifted_at is null;

create table scopes (
    scope     text primary key,
    epoch     bigint not null,                       -- +1 with every freeze and every thaw; a permit must be of this epoch
    lifted_at bigint not null default 0              -- when a freeze of it was last lifted
);

create table covers (                                -- which scopes cover which account: the configuration, at start
    account text not null,
    scope   text not null,
    primary key (account, scope)
);

create table counts (                                -- posts by account and state, kept by the database itself
    account text not null,
    state   text not null,
    n       bigint not null,
    primary key (account, state)
);

create table transitions (                           -- the law's table, for the database's own check
    was   text not null,
    event text not null,
    is_now text not null,
    primary key (was, event)
);

create table journal (
    seq  bigint primary key,
    at   bigint not null,
    kind text not null,
    who  text not null,
    data text not null,
    prev text not null,
    hash text not null
);
