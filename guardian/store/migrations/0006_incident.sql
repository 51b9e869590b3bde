-- The incident: what was published and with which proof, takedowns and their targets, bundles, the looks afterwards, and
-- the incident that owns it all. What happened stands in the journal; these tables are what the house has yet to do.

create table publications (                          -- the record of each part that is live, sealed when it went live
    post   text not null references posts (id),
    part   bigint not null,                          -- its nr, from 0
    at     bigint not null,
    sha256 text not null,                            -- of the record's bytes; stands in the journal's line `published`
    record blob not null,                            -- JSON, compressed with zlib: text, files, who, request, answer
    said   text not null,                            -- a digest of its words and files: who else says the same?
    primary key (post, part)
);
create index publications_alike on publications (said);

create table incidents (
    id         text primary key,
    reason     text not null,
    by_whom    text not null,
    opened_at  bigint not null,
    opened_seq bigint not null,                      -- the journal's line that opened it; every line from there is its own
    closed_at  bigint,
    closed_by  text,
    closed_seq bigint
);
create unique index incidents_open on incidents (coalesce(closed_at, 0)) where closed_at is null;  -- one at a time

create table takedowns (                             -- one order
    id       text primary key,
    incident text references incidents (id),
    decision text not null check (decision in ('delete', 'hide', 'keep')),
    capture  text not null check (capture in ('best-effort', 'require', 'skip')),
    severity bigint not null default 1,              -- 0 low, 1 usual, 2 high, 3 critical: what is worse is taken down first
    reason   text not null,
    by_whom  text not null,
    agreed   text not null,                          -- ["name", ...]: who agreed
    ordered  text not null,                          -- JSON: uid, login, tty, host, boot, the references as they were given
    key      text unique,                            -- the caller's own: the same order twice is one
    at       bigint not null
);
create index takedowns_by_time on takedowns (at);

create table targets (                               -- one post of an order
    id          text primary key,
    takedown    text not null references takedowns (id),
    nr          bigint not null,                     -- its place in the order: the first is taken down first
    account     text not null,
    platform_id text not null,
    url         text,
    post        text references posts (id),
    part        bigint,
    state       text not null check (state in ({target_states})),
    why         text not null default '',
    evidence    text,                                -- the name of its bundle
    grade       text,
    undo        text,                                -- JSON, stored before the act; null: nothing can reverse it
    acts        bigint not null default 0,           -- how many retracting requests were intended
    acted_at    bigint,                              -- when the last of them was
    ended_at    bigint,
    due_at      bigint,                              -- when it can be acted on at the earliest, where it has to wait
    unique (takedown, nr)
);
create index targets_open on targets (account, state) where ended_at is null;
create index targets_of_post on targets (account, platform_id);

create table retractions (                           -- every retracting request that was intended: what a budget counts
    id      text primary key,
    account text not null,
    target  text,
    at      bigint not null
);
create index retractions_of_account on retractions (account, at);

create table looks (                                 -- looks again after a takedown: +1 min, +1 h, +25 h, +7 d
    target   text not null references targets (id),
    nr       bigint not null,
    due_at   bigint not null,
    done_at  bigint,
    presence text,
    why      text,
    primary key (target, nr)
);
create index looks_due on looks (due_at) where done_at is null;

create table sweeps (                                -- looks at an account's timeline after a freeze
    id       text primary key,
    incident text not null references incidents (id),
    account  text not null,
    since    bigint not null,
    due_at   bigint not null,
    done_at  bigint,
    why      text
);
create index sweeps_due on sweeps (due_at) where done_at is null;

create table natives (                               -- posts scheduled on the platform itself, as a freeze found them
    id          text primary key,
    incident    text not null references incidents (id),
    account     text not null,
    platform_id text not null,
    due_at      bigint not null,
    text        text not null,
    raw         text not null,                       -- JSON, as the platform said it
    files       text not null,                       -- [{"url", "type", "alt", "sha256"}]
    state       text not null check (state in ('listed', 'deferred', 'deleted', 'published', 'unknown')),
    wanted      text not null default 'list' check (wanted in ('list', 'hold', 'delete')),  -- what somebody ordered
    why         text not null default '',
    acted_at    bigint,
    unique (incident, account, platform_id)
);
create index natives_wanted on natives (account) where state = 'listed' and wanted <> 'list';

create table bundles (
    name        text primary key,                    -- of its directory under STATE_DIR/evidence
    incident    text references incidents (id),
    target      text references targets (id),
    account     text not null,
    platform    text not null,
    platform_id text not null,
    url         text,
    post        text,
    grade       text not null,
    created_at  bigint not null,
    seals       bigint not null default 0,           -- how many there are
    sha256      text,                                -- of the last SHA256SUMS
    held        text,                                -- why it may not be erased or purged: a legal hold
    erased_at   bigint,                              -- when third-party content was erased from it
    purge_at    bigint                               -- when its class lets it go
);
create index bundles_of_post on bundles (account, platform_id);
create index bundles_by_time on bundles (created_at);

create table stamps (                                -- time stamps that are wanted: one for each seal and authority
    bundle    text not null references bundles (name),
    seal      bigint not null,
    authority text not null,
    due_at    bigint not null,
    done_at   bigint,
    tries     bigint not null default 0,
    why       text,
    primary key (bundle, seal, authority)
);
create index stamps_due on stamps (due_at) where done_at is null;
