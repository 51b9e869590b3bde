BEGIN TRANSACTION;
CREATE TABLE attempts (
    id         text primary key,
    post       text not null references posts (id),
    account    text not null,
    key        text not null,                        -- the idempotency key, the same for every attempt of the same content
    started_at bigint not null,
    ended_at   bigint,
    outcome    text check (outcome in ('unsent', 'landed', 'refused', 'unknown', 'absent', 'cancelled')),
    detail     text,
    looks      integer not null default 0,           -- how often the platform was asked for it
    looked_at  bigint, part bigint not null default 0,
    check ((ended_at is null) = (outcome is null))
);
INSERT INTO "attempts" VALUES('a-pvutndlcumr4dp5t','p-eqhougygpddl7icv','acme','p-eqhougygpddl7icv-8017eafc1f259cf3',1795660346357,1795660346368,'landed','117680396459376640',0,NULL,0);
INSERT INTO "attempts" VALUES('a-r4vaxgxajg5l7sj3','p-ko2beltdav536eka','beta','p-ko2beltdav536eka-8465eb742edd559a',1795660348462,1795660348473,'landed','117680396597264384',0,NULL,0);
INSERT INTO "attempts" VALUES('a-tnub3xa7i6q54ltn','p-uafdixojf3rvuqi5','beta','p-uafdixojf3rvuqi5-314cf527d1bb6820',1795660394990,NULL,NULL,NULL,0,NULL,0);
CREATE TABLE bundles (
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
CREATE TABLE counts (                                -- posts by account and state, kept by the database itself
    account text not null,
    state   text not null,
    n       bigint not null,
    primary key (account, state)
);
INSERT INTO "counts" VALUES('acme','queued',4);
INSERT INTO "counts" VALUES('acme','claimed',0);
INSERT INTO "counts" VALUES('acme','sending',0);
INSERT INTO "counts" VALUES('acme','published',1);
INSERT INTO "counts" VALUES('beta','queued',2);
INSERT INTO "counts" VALUES('beta','claimed',0);
INSERT INTO "counts" VALUES('beta','sending',1);
INSERT INTO "counts" VALUES('beta','published',1);
INSERT INTO "counts" VALUES('acme','missed',1);
CREATE TABLE covers (                                -- which scopes cover which account: the configuration, at start
    account text not null,
    scope   text not null,
    primary key (account, scope)
);
INSERT INTO "covers" VALUES('acme','account:acme');
INSERT INTO "covers" VALUES('acme','all');
INSERT INTO "covers" VALUES('acme','brand:acme');
INSERT INTO "covers" VALUES('acme','platform:mastodon');
INSERT INTO "covers" VALUES('beta','account:beta');
INSERT INTO "covers" VALUES('beta','all');
INSERT INTO "covers" VALUES('beta','brand:beta');
INSERT INTO "covers" VALUES('beta','platform:mastodon');
CREATE TABLE freezes (
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
INSERT INTO "freezes" VALUES('f-efsrgaz25in3pwhj','brand:acme','a golden freeze','root',1795660364709,2,'7a8369a5f1be23d1',NULL,NULL,NULL);
CREATE TABLE holds (                                 -- one row keeps back one post, or every post with a tag
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
INSERT INTO "holds" VALUES('h-a7kgcukfh3l54cej',NULL,'"launch"','the date moves','root',1795660360391,NULL,NULL);
CREATE TABLE incidents (
    id         text primary key,
    reason     text not null,
    by_whom    text not null,
    opened_at  bigint not null,
    opened_seq bigint not null,                      -- the journal's line that opened it; every line from there is its own
    closed_at  bigint,
    closed_by  text,
    closed_seq bigint
);
INSERT INTO "incidents" VALUES('i-uuhpf5bxvdp5jafh','a golden freeze','root',1795660364847,15,NULL,NULL,NULL);
CREATE TABLE journal (
    seq  bigint primary key,
    at   bigint not null,
    kind text not null,
    who  text not null,
    data text not null,
    prev text not null,
    hash text not null
);
INSERT INTO "journal" VALUES(1,1795660341861,'started','guardian','{"unclaimed": 0, "unknown": 0}','0000000000000000000000000000000000000000000000000000000000000000','65c7950801cdc32ee055aef1f16064b4a26c6c93f75ea7bc51d029b3959c503f');
INSERT INTO "journal" VALUES(2,1795660342057,'clock_trusted','guardian','{"boot": "64491e8f-b4e7-4df7-b26a-1a9b7961609b", "offset": 1795632045550, "why": "it goes on as before"}','65c7950801cdc32ee055aef1f16064b4a26c6c93f75ea7bc51d029b3959c503f','731a98f811b556bb898ba717ce17e264d1adcc013297ae6a1a710aa63e4ccbd6');
INSERT INTO "journal" VALUES(3,1795660342088,'custody','guardian','{"bundle": null, "event": "key found", "fingerprint": "SHA256:Q80Zo5ODBij61UwVHh5Dd4P7GdWxYd6kFSULnli7tlo"}','731a98f811b556bb898ba717ce17e264d1adcc013297ae6a1a710aa63e4ccbd6','7a4d4d40d912291061ee35c46e35dc17da7f85aa145e059ad89ddef64d7e9f2e');
INSERT INTO "journal" VALUES(4,1795660346332,'entered','root','{"post": "p-eqhougygpddl7icv", "account": "acme"}','7a4d4d40d912291061ee35c46e35dc17da7f85aa145e059ad89ddef64d7e9f2e','759e98bc11cff66a77aa63f12eb83b66b5fd2383d24c0b3f99d9f1fcae78b1d3');
INSERT INTO "journal" VALUES(5,1795660346368,'published','guardian','{"post": "p-eqhougygpddl7icv", "account": "acme", "platform_id": "117680396459376640", "url": "http://127.0.0.1:18473/@acme/117680396459376640", "found": false, "record": "4149f83f4547880659d1b55cab3870a6d810b968177dda84dd3e8c3b53bc6d85"}','759e98bc11cff66a77aa63f12eb83b66b5fd2383d24c0b3f99d9f1fcae78b1d3','ab99a98245ae6a7dd59c65c7d70427822124b63fbe82ed854e09a19afd885239');
INSERT INTO "journal" VALUES(6,1795660348416,'entered','root','{"post": "p-ko2beltdav536eka", "account": "beta"}','ab99a98245ae6a7dd59c65c7d70427822124b63fbe82ed854e09a19afd885239','17fd525f55d6e49a3edb37ac75767c688eff74cc7eb3c5b2a94aca7a3c9e9343');
INSERT INTO "journal" VALUES(7,1795660348473,'published','guardian','{"post": "p-ko2beltdav536eka", "account": "beta", "platform_id": "117680396597264384", "url": "http://127.0.0.1:18473/@beta/117680396597264384", "found": false, "record": "060cf421db38547b875c6213590eda6e0106946616e03560cd947da77b36d212"}','17fd525f55d6e49a3edb37ac75767c688eff74cc7eb3c5b2a94aca7a3c9e9343','99e18e8e25346896fd4c01a8ca407ccac542e7874fc6d4c00dd9ab97dd30674d');
INSERT INTO "journal" VALUES(8,1795660349949,'entered','root','{"post": "p-izifaco3giippkbh", "account": "acme"}','99e18e8e25346896fd4c01a8ca407ccac542e7874fc6d4c00dd9ab97dd30674d','3e37cb902df167f35bf66af7af5a5632ff8bc908cf0ec23b7e80a2837217ab9b');
INSERT INTO "journal" VALUES(9,1795660351863,'entered','root','{"post": "p-imruztox3h6rat2u", "account": "acme"}','3e37cb902df167f35bf66af7af5a5632ff8bc908cf0ec23b7e80a2837217ab9b','9a38af4c1814a7b9256b9ed53910e0c51abde0bbbab8825cd1e2007263e706b6');
INSERT INTO "journal" VALUES(10,1795660353196,'entered','root','{"post": "p-yhg55s4dsu36ja4r", "account": "acme"}','9a38af4c1814a7b9256b9ed53910e0c51abde0bbbab8825cd1e2007263e706b6','30c8cbef53b23c843fb5d2aa3925984d1ff97b3ea2104114807d37d1404a4cb7');
INSERT INTO "journal" VALUES(11,1795660355440,'entered','root','{"post": "p-obkserfihqtdxsab", "account": "acme"}','30c8cbef53b23c843fb5d2aa3925984d1ff97b3ea2104114807d37d1404a4cb7','2d23e435e97c5845e5b53f2169854df7ba2e7e5fa407488488a05d5d9819b7ea');
INSERT INTO "journal" VALUES(12,1795660357826,'entered','root','{"post": "p-eq7nzh3utjfxzjsn", "account": "beta"}','2d23e435e97c5845e5b53f2169854df7ba2e7e5fa407488488a05d5d9819b7ea','b47b83ebf09c2a9221f01ff7632c983fe141b702486ad6d83176e783121d580f');
INSERT INTO "journal" VALUES(13,1795660360391,'held','root','{"hold": "h-a7kgcukfh3l54cej", "tag": "launch", "reason": "the date moves"}','b47b83ebf09c2a9221f01ff7632c983fe141b702486ad6d83176e783121d580f','557e9160ec6a200cf7b82845f80620bc5a5d4af487abcc7f9f1611a69d702445');
INSERT INTO "journal" VALUES(14,1795660362357,'entered','root','{"post": "p-aex4g7hqj3xthpyw", "account": "beta"}','557e9160ec6a200cf7b82845f80620bc5a5d4af487abcc7f9f1611a69d702445','721099e36f1ffbed48aa97f353849bb78da8f41be5442fe3a6e9101e740ccca4');
INSERT INTO "journal" VALUES(15,1795660364847,'incident opened','root','{"incident": "i-uuhpf5bxvdp5jafh", "reason": "a golden freeze", "cause": "freeze"}','721099e36f1ffbed48aa97f353849bb78da8f41be5442fe3a6e9101e740ccca4','5fb0d0476c954d2d4ae31c1a8cd74cb2ee8e79e17d447b7a06b2f91f1af74766');
INSERT INTO "journal" VALUES(16,1795660364847,'frozen','root','{"freeze": "f-efsrgaz25in3pwhj", "scope": "brand:acme", "reason": "a golden freeze", "epoch": 2, "ordered_at": 1795660364709, "incident": "i-uuhpf5bxvdp5jafh"}','5fb0d0476c954d2d4ae31c1a8cd74cb2ee8e79e17d447b7a06b2f91f1af74766','9c600ed870d71167aa43136da6194cafb147029aee061daf362cbb81220d95d7');
INSERT INTO "journal" VALUES(17,1795660364866,'freeze confirmed','root','{"incident": "i-uuhpf5bxvdp5jafh", "ordered_at": 1795660364709, "scopes": ["brand:acme"], "door": "direct", "durable": true, "elapsed_ms": null, "held": 4, "unconfirmed": []}','9c600ed870d71167aa43136da6194cafb147029aee061daf362cbb81220d95d7','16afdad6749ca3c694fb8c85941d0c84e53307072ed73c3b8d5866cf053f7e5f');
INSERT INTO "journal" VALUES(18,1795660366829,'entered','root','{"post": "p-qwpn3m5nssbd4zca", "account": "acme"}','16afdad6749ca3c694fb8c85941d0c84e53307072ed73c3b8d5866cf053f7e5f','9e812937871c8e4be6f8116702e57bd4580c0d4ea95e922135252f34457d2b30');
INSERT INTO "journal" VALUES(19,1795660367395,'missed','guardian','{"count": 1, "posts": ["p-qwpn3m5nssbd4zca"]}','9e812937871c8e4be6f8116702e57bd4580c0d4ea95e922135252f34457d2b30','bd27fe14a2929d03b2609c9e83a233873895e61d9546b9de0c34a95944c5b6a1');
INSERT INTO "journal" VALUES(20,1795660369728,'stopped','guardian','{}','bd27fe14a2929d03b2609c9e83a233873895e61d9546b9de0c34a95944c5b6a1','c9e0b5b272a81a53e31bdc5a0e5067b2efba72eb569684f0f51e862f811409bc');
INSERT INTO "journal" VALUES(21,1795660389610,'started','guardian','{"unclaimed": 0, "unknown": 0}','c9e0b5b272a81a53e31bdc5a0e5067b2efba72eb569684f0f51e862f811409bc','8e0a44ba6ab4676fd88e9b1a9354e023bae95360ad1138d858167489e8362878');
INSERT INTO "journal" VALUES(22,1795660394931,'entered','root','{"post": "p-uafdixojf3rvuqi5", "account": "beta"}','8e0a44ba6ab4676fd88e9b1a9354e023bae95360ad1138d858167489e8362878','75525198fc4ae36e1ff8c2a98d646d96df0c30b8efd82b5b04c3865d4d9b3eca');
CREATE TABLE journal_posts (                         -- a line names at most 500 posts; here are all that it tells about
    post text not null,
    seq  bigint not null,
    primary key (post, seq)
);
INSERT INTO "journal_posts" VALUES('key SHA256:Q80Zo5ODBij61UwVHh5Dd4P7GdWxYd6kFSULnli7tlo',3);
INSERT INTO "journal_posts" VALUES('p-eqhougygpddl7icv',4);
INSERT INTO "journal_posts" VALUES('p-eqhougygpddl7icv',5);
INSERT INTO "journal_posts" VALUES('p-ko2beltdav536eka',6);
INSERT INTO "journal_posts" VALUES('p-ko2beltdav536eka',7);
INSERT INTO "journal_posts" VALUES('p-izifaco3giippkbh',8);
INSERT INTO "journal_posts" VALUES('p-imruztox3h6rat2u',9);
INSERT INTO "journal_posts" VALUES('p-yhg55s4dsu36ja4r',10);
INSERT INTO "journal_posts" VALUES('p-obkserfihqtdxsab',11);
INSERT INTO "journal_posts" VALUES('p-eq7nzh3utjfxzjsn',12);
INSERT INTO "journal_posts" VALUES('p-aex4g7hqj3xthpyw',14);
INSERT INTO "journal_posts" VALUES('i-uuhpf5bxvdp5jafh',15);
INSERT INTO "journal_posts" VALUES('i-uuhpf5bxvdp5jafh',16);
INSERT INTO "journal_posts" VALUES('i-uuhpf5bxvdp5jafh',17);
INSERT INTO "journal_posts" VALUES('p-qwpn3m5nssbd4zca',18);
INSERT INTO "journal_posts" VALUES('p-qwpn3m5nssbd4zca',19);
INSERT INTO "journal_posts" VALUES('p-uafdixojf3rvuqi5',22);
CREATE TABLE looks (                                 -- looks again after a takedown: +1 min, +1 h, +25 h, +7 d
    target   text not null references targets (id),
    nr       bigint not null,
    due_at   bigint not null,
    done_at  bigint,
    presence text,
    why      text,
    primary key (target, nr)
);
CREATE TABLE media (                                 -- what lies in the spool
    sha256  text primary key,
    type    text not null,
    size    bigint not null,
    width   bigint,
    height  bigint,
    at      bigint not null,
    by_whom text not null
);
CREATE TABLE migrations (number integer primary key, name text not null, applied_at bigint not null);
INSERT INTO "migrations" VALUES(1,'0001_house.sql',1795660340138);
INSERT INTO "migrations" VALUES(2,'0002_seals.sql',1795660340138);
INSERT INTO "migrations" VALUES(3,'0003_everyday.sql',1795660340138);
INSERT INTO "migrations" VALUES(4,'0004_speed.sql',1795660340138);
INSERT INTO "migrations" VALUES(5,'0005_story.sql',1795660340138);
INSERT INTO "migrations" VALUES(6,'0006_incident.sql',1795660340138);
INSERT INTO "migrations" VALUES(7,'0007_campaign.sql',1795660340138);
CREATE TABLE natives (                               -- posts scheduled on the platform itself, as a freeze found them
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
CREATE TABLE parts (                                 -- parts of a thread that are live, but for the first: that is in posts
    post        text not null references posts (id),
    nr          bigint not null,
    account     text not null,
    platform_id text not null,
    url         text,
    landed_at   bigint not null,
    primary key (post, nr)
);
CREATE TABLE posts (
    id          text primary key,
    seq         bigint not null unique,              -- order of entry, decides between posts of the same time
    account     text not null,
    state       text not null check (state in ('queued', 'claimed', 'blocked', 'sending', 'unknown', 'missed', 'refused', 'published', 'retracting', 'retracted', 'cancelled')),
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
    changed_at  bigint not null, seal text, media text, tail text, parts bigint not null default 1, live bigint not null default 0, wall text, pace bigint, campaign text,
    check (state <> 'published' or platform_id is not null),     -- no false success (invariant I7)
    unique (account, ref)
);
INSERT INTO "posts" VALUES('p-eqhougygpddl7icv',1,'acme','published',1795660346332,1795660346332,NULL,'published by acme åäö 😀',NULL,NULL,NULL,'[]',NULL,'95600f41815c1dc8c371c75971aac9d41e101886c8f4274d8e954d8b444653d0',NULL,'117680396459376640','http://127.0.0.1:18473/@acme/117680396459376640',1795660346332,'root',1795660346368,'fd2d52244d590313e46e48229f94f10c70aacdd28ca66f67ae5111973a0f2e06',NULL,NULL,1,1,NULL,NULL,NULL);
INSERT INTO "posts" VALUES('p-ko2beltdav536eka',2,'beta','published',1795660348416,1795660348416,NULL,'published by beta åäö 😀',NULL,NULL,NULL,'[]',NULL,'da3b4c5041f08424c6021c60af7206f874215053a7c48df6c4de55cfded9f4cf',NULL,'117680396597264384','http://127.0.0.1:18473/@beta/117680396597264384',1795660348416,'root',1795660348473,'2f95b2a900fdf2fdb995b31ad6839e6f6139bdca96d761bb8c04109e93876d7b',NULL,NULL,1,1,NULL,NULL,NULL);
INSERT INTO "posts" VALUES('p-izifaco3giippkbh',3,'acme','queued',1925280000000,1795660349949,'Europe/Stockholm','planned 0',NULL,NULL,NULL,'["launch"]','plan-0','0181bf7270cc3a7f98d57e1b6ef2bf7cd4c806885f098f21ff16a7c079e0ec5d',NULL,NULL,NULL,1795660349949,'root',1795660349949,'bb6d179384c51f1f9a83518fe6cbb60bb5c3c9c39998a48229f5f11bff00922d',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL,NULL);
INSERT INTO "posts" VALUES('p-imruztox3h6rat2u',4,'acme','queued',1925280000000,1795660351863,'Europe/Stockholm','planned 1',NULL,NULL,NULL,'["launch"]','plan-1','94d0ce899297088b91e99ab97057ff70b64b5a6fad031f85a651aff927834512',NULL,NULL,NULL,1795660351863,'root',1795660351863,'7d867778de53ea53ffac505e6718234fc85c3b8f1d0cffe3a9daba8e50a9dada',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL,NULL);
INSERT INTO "posts" VALUES('p-yhg55s4dsu36ja4r',5,'acme','queued',1925280000000,1795660353196,'Europe/Stockholm','planned 2',NULL,NULL,NULL,'["launch"]','plan-2','6fb37cd4e33d165ca40d16686a5e47ee2c4a5ec9f10162562d25b087759ec2c2',NULL,NULL,NULL,1795660353196,'root',1795660353196,'137f79cf763da18f3b130d3f2cbb926d487a5bfdeab710d71290bbc6545059c3',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL,NULL);
INSERT INTO "posts" VALUES('p-obkserfihqtdxsab',6,'acme','queued',1925280000000,1795660355440,'Europe/Stockholm','planned 3',NULL,NULL,NULL,'["launch"]','plan-3','0eaef3e0af2a8259b13bbd6125c8a0d76bfe758fc8ac73e2c6f0a6932d250ff8',NULL,NULL,NULL,1795660355440,'root',1795660355440,'d15cd34b8b5c2bee887c320672b397230f5b8d0736dbbdd5e8cbff1188488530',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL,NULL);
INSERT INTO "posts" VALUES('p-eq7nzh3utjfxzjsn',7,'beta','queued',1925280000000,1795660357826,'Europe/Stockholm','one',NULL,NULL,NULL,'["launch"]',NULL,'8e6545d56fd16aa01a5c1cf15400751285a83b32c39ac30e85683cff3ec2efc8',NULL,NULL,NULL,1795660357826,'root',1795660357826,'5444fb8ec4b6bb2df1e5aa6ecadc3cb8cc92c5b2592d85954001d3b4e8dadbe0',NULL,'[{"text": "two", "media": []}]',2,0,'2031-01-04T09:00:00',NULL,NULL);
INSERT INTO "posts" VALUES('p-aex4g7hqj3xthpyw',8,'beta','queued',1925280000000,1795660362357,'Europe/Stockholm','of a campaign',NULL,NULL,NULL,'["launch"]',NULL,'efee9e77b1b1a9d82a069e3c90b8ee5c3817b764510540b8998ef745071263c6',NULL,NULL,NULL,1795660362357,'root',1795660362357,'12903dad45bfb2946a6ea2ec1a39795ed2ab6514905754605ff52a352c14b549',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL,'spring');
INSERT INTO "posts" VALUES('p-qwpn3m5nssbd4zca',9,'acme','missed',1795660366829,1795660366829,NULL,'missed under the freeze',NULL,NULL,NULL,'[]',NULL,'221bc729526d133c8c8819953c6ad6826748b3c2f5e015cf1b074479547417a6','its time passed while a freeze covered it',NULL,NULL,1795660366829,'root',1795660367395,'377d52f59300d015de99640b8e3f317a578a143f0ebd918f8353b5a3cc33d631',NULL,NULL,1,0,NULL,NULL,NULL);
INSERT INTO "posts" VALUES('p-uafdixojf3rvuqi5',10,'beta','sending',1795660394931,1795660394931,NULL,'in the middle of a send',NULL,NULL,NULL,'[]',NULL,'6448944705accfd5fb0d8fdc7d1041d535242271d0fc674c915e8688f769ff54',NULL,NULL,NULL,1795660394931,'root',1795660394990,'69f4f132427afc884acf48788f65b1a8524630427726fc97931c9d3cfc3b3b03',NULL,NULL,1,0,NULL,NULL,NULL);
CREATE TABLE publications (                          -- the record of each part that is live, sealed when it went live
    post   text not null references posts (id),
    part   bigint not null,                          -- its nr, from 0
    at     bigint not null,
    sha256 text not null,                            -- of the record's bytes; stands in the journal's line `published`
    record blob not null,                            -- JSON, compressed with zlib: text, files, who, request, answer
    said   text not null,                            -- a digest of its words and files: who else says the same?
    primary key (post, part)
);
INSERT INTO "publications" VALUES('p-eqhougygpddl7icv',0,1795660346368,'4149f83f4547880659d1b55cab3870a6d810b968177dda84dd3e8c3b53bc6d85',X'7801A5566B6EE33610BE8A4120FDB1B1623D6CF9D1CD62D36D775B74FB4036058A268141496399BB14A95094133708D063F45FFFB457E80572A11EA14352B21DE5D12D16090C71DE339CE137D784A6A9AC852633FC2A80F449A2A8C8B6C794162565B920335173DE27590D73AAE7454566C1783A8A633F1AC65114F609080D0AB2FFE0266BB4ADA4D4E80AAED225153990D9354920A7E201DD38E89302F4529A987EFCE1DD09EA95000A4F41383EF0F12F980593E1384286828B1A2A3D4F64866EAE89862B9359A5A9AEABC3B24E38AB9690ED27EB7D93EDFEDEAB68EF68647F87E6F78B787FEFB5BF377DBD379DEC4DFCCF2A1015D36C05873EB9D99A5F02CD4061054E4FC9D7B232A9746339EF9F929F2A50DE518E753131A39C97D754658C0A62D847690AA5F6BE12A9CC98C851866528CBF47A878DD467836796F04A0A01A966522031E5B2024BFE2683A2941A44BAF6BE85B571E5C1C552D6F93A2FB38C8F59BAF2267E3006BA488345389AA68BC879A8B1AC8AFD4A1B9BA70A0AB982ECBC758746B5F71644AE9768369EDCA19FAC4BD32EB42C394BAD89C195777979E92DA42ABC5A718C48669091F37353B9AA94A282EECD5C9F61D26764D63B2341308E277E348D87A369348EE3A17F46FA484F15506DDBCAC9857E187B41E085F1891FCEA27016C607513CFAC54943C6B6C2B663D104137305255FCFB59C3B770F719A49E8486C5AC0785F505E81090AB3611CD4DC34980BCBB95FB18A258CE31D3AAA6DB9D4F138B67A4D73701C108E5A2BE6084BADCBD960D069A4418D4D540D4CB70E5C1B433578AC5458F4276DBDB4661ED34E250EB068D2795EBED88C4B2F59F78C66EFF6AFDB3F6FFFEEFDF3C7EFBF3D1F942F5C020BC6EDDC1BCFA7E7A638458D57608E9B7225527E28A8FAD021970C3BFAAEA48284CBDC28B757B4D360868C1D2368D114F11870145545316DE3F812121C57CB33DA3786D6DC6AA3DA6DB6E1741C0E233F8AE2E636B0DA5BF3266947472B4D61B6B48C5525A7EBF943F25CA6DD6413692D6C6A82EA294E9BA209B7116F184C6470758F9A2B5997778AFAD460F833DFFC1FF8BEDF0C86C027C2A89F9126D38FE99556F4635BB429D68A6AAA9CB347BA5AB517372859AA6B0507D50A6FDD5E98D59E9B6667383926E2FF6FC4BDD09FA6FD89212C24E7F21287776E01D6C4E29BFC1C1D1FFC0EBD9DEE2D3930E29C229E391EA2A3B1D20EC612E102853977A050EDF284B45D64485AD5F6C9C2B7FD3DB3426E4A95E4B0735C30E05973B68353E0534AD1A5A6E9B2C0776147D61C118676289AE63BA7AEAB14516F37BA1283DE3D5FD44D73B6A999D79A41B772EE6DE852177425F111D5F7C4ADD547A51F7A76F29DC7E8C6017E035BBB88FF25C21102DFC9B2EEF7C2B8F7BD5CF50C26F55A34EABDF9EEC422E53B5038DF28BAE9764BFED93B460B6F59C1105CCD2F4A44BE7F8F770C0565C26D06E1347E805F81D1ED00E2A89D7BAB804B8345F107D0FA7D25C5E73DDCC014DA39ACF5C2BB0BF01BE00F46E1B435766F03417077DD4966A1EFF789E6B817D97B240847B87C3D32BCB4648355B0C13453ED052EA2B8E5B98770BB0CCD88C5AD971D64C4CC115171C1C01EBDB38BC613CBB158DB86629B19F7358CB6A40AE53152F361B658FCE2549BAD05A32D70DC646657AC968A0B815936EFAD27188059EA90777FE1429E8245EBDD4C8773DE2CA44F422BEA3E59B9C7501CF5B0DD2AB31F9AA4B6AB481BC62555B69DECF5DCFC0BC15EBF3C','5310aa600c101a23de8cd33e0d2eefb6');
INSERT INTO "publications" VALUES('p-ko2beltdav536eka',0,1795660348473,'060cf421db38547b875c6213590eda6e0106946616e03560cd947da77b36d212',X'7801A5566B6EE33610BE8A4120FDB1B16249B6E547378B4DB7DD6DD1ED03D914289A0406258D6D6E28524B5176DC20408FD17FFDD35EA117C8857A840E49C976643BDD62914030E73DC3197E73476892C85268322631684ADA245654A49B6342B39CB29920635172DE26690913AA275941C6C160D48F22BFDB1BF682A84D40685090FE07375EA16D25A54657709BCCA9980119DFA1F719157B74A3419B64A0E7D2C4F4E30FEF2E502F0750780AC2C1898F7FC13818F6065D6428F85042A127B14CD1CD1DD1706B322B34D565719A973167C51CD2E378756CB23D3E7AD53D3AEBDB6FCF7CBF888E8F5EFB47A3D747A3E1D1D0FFAC005130CD1670EA93FB8DF939D0141456E0F2927C2D0B934A3396EBF625F9A900E59DCDB02E266694F366255529A38218F6599240AEBDAF442253266628C35294657AB5C546EAB3CE334B782585804433299098705980257F9342964B0D225979DFC2CAB8F26E641803D7295DF4BB11DC506FD88BFA100F7A21A469BF3FA2CE43896555EC575AD9BC5490C905A4D7B53B34AABDB720667A8E66A3E123FAC52A07A4D23CE72CB1263AB7DE72B9F4A652655EA93846245348C9F5B5A95C914B5140F366EEAE30E92B326E5D9120184443BF3B8AFAA34118F5BAC3DE1569233D5140B56D2B2717FA61E405811746177E38EE86E37078D28B46BF386948D946D8762C9A6062A220E7AB899613E76E1FA79A8486C4BA058CF729E50598A0301BC6414D4C83B9B09CFB052B58CC38DEA1A3DA964B1C8F63AB9774068E03C2514BC51C61AE753EEE741A8DD429B1898A8EE9D68E6B63283A874A85457FD2D64B6BE690762271804595CEF3FCC57A5C5AF1AA65345B0F7F3DFCF9F077EB9F3F7EFFED79277FE11298326EE7DE78BEBC36C5C94ABC02735C972B96F226A3EAA641CE1976F4634905319733A35C5FD156831932768CA05955C473C0515405C5B48DE325C438AE9667B4EF0DADBAD54AB5D96C3DECB55ED7EF7607D56D60B537E64DD28E8E56AAC26C68292B724E57937DF25C26CD6463692DAC6B82EA094E9BA231B711AF194CA470BB439D2959E68F8AFAD460F863DFFC9FF8BE5F0D86C027C2A85F912AD38FE9955AF4635BB42AD6826AAA9CB3035DADEA8BEBE42CD1A582936281B76E2FCC6A4F4CB3339C1C13F1FF37E25EE84FD3FEC410A69273B9C4E19D588035B1F8263F47C707BF41AFA77B430E8C38A788678E87E868ACD4833147B84061CE1D2814DB3C216D17199256A57DB2F06D7FCFAC909B5225396C1DA70C785A9DEDE064F8945274A96932CFF05DD892354784A12D8AA6B3AD53D35582A8B71D5D8E416F9F3F945573D6A999D79A41B372EE6D6852A77421F111D53BE2D6EA41E97DCFCE6CEB31BA77805FC1D636E27F897084C077312FDBAD306A7D2F172D8349AD1A8D5A6FBEBBB048F90E14CE378AAEBBDD927FF6CED1C25B96310457F34589AEEFEFF0CE21A34CB8CD201C457BF80518DD0620F6EBB9B70AB8345814DF83D6EF0B293E6FE106A6D0CE69A9A7DE63805F037FD00F47B5B19D0D04C1DD75271987BEDF269AE35E64EF91201CE1F275607869CE3A8B608D69A6DA535C4471CB730FE166191A138B5B2F1BC8889923A2E282813DFA68171D742DC7626D1D8A6D66DCD730DA9C2A94C748CD0FB3C5E22F4EB5D95A30DA0CC74DA676C5AAA9B810986573673DC100CC5287BCDD850B790AA6B577331DCE79B5903E09ADA8FB64E50EA138EA61BB15663F34496D56913A8C2555B69DECF5DCFF0B89E1BE08','fa136f5cc53127ab8d2c3297b3e2ade3');
CREATE TABLE retractions (                           -- every retracting request that was intended: what a budget counts
    id      text primary key,
    account text not null,
    target  text,
    at      bigint not null
);
CREATE TABLE scopes (
    scope     text primary key,
    epoch     bigint not null,                       -- +1 with every freeze and every thaw; a permit must be of this epoch
    lifted_at bigint not null default 0              -- when a freeze of it was last lifted
);
INSERT INTO "scopes" VALUES('account:acme',1,0);
INSERT INTO "scopes" VALUES('account:beta',1,0);
INSERT INTO "scopes" VALUES('all',1,0);
INSERT INTO "scopes" VALUES('brand:acme',2,0);
INSERT INTO "scopes" VALUES('brand:beta',1,0);
INSERT INTO "scopes" VALUES('platform:mastodon',1,0);
CREATE TABLE stamps (                                -- time stamps that are wanted: one for each seal and authority
    bundle    text not null references bundles (name),
    seal      bigint not null,
    authority text not null,
    due_at    bigint not null,
    done_at   bigint,
    tries     bigint not null default 0,
    why       text,
    primary key (bundle, seal, authority)
);
CREATE TABLE sweeps (                                -- looks at an account's timeline after a freeze
    id       text primary key,
    incident text not null references incidents (id),
    account  text not null,
    since    bigint not null,
    due_at   bigint not null,
    done_at  bigint,
    why      text
);
INSERT INTO "sweeps" VALUES('s-f2hfl3hcyl4axyr6','i-uuhpf5bxvdp5jafh','acme',1795660304709,1795660409709,NULL,NULL);
CREATE TABLE tags (                                  -- as JSON writes them, quotes and all, like those of the holds
    tag  text not null,
    post text not null references posts (id),
    primary key (tag, post)
);
INSERT INTO "tags" VALUES('"launch"','p-izifaco3giippkbh');
INSERT INTO "tags" VALUES('"launch"','p-imruztox3h6rat2u');
INSERT INTO "tags" VALUES('"launch"','p-yhg55s4dsu36ja4r');
INSERT INTO "tags" VALUES('"launch"','p-obkserfihqtdxsab');
INSERT INTO "tags" VALUES('"launch"','p-eq7nzh3utjfxzjsn');
INSERT INTO "tags" VALUES('"launch"','p-aex4g7hqj3xthpyw');
CREATE TABLE takedowns (                             -- one order
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
CREATE TABLE targets (                               -- one post of an order
    id          text primary key,
    takedown    text not null references takedowns (id),
    nr          bigint not null,                     -- its place in the order: the first is taken down first
    account     text not null,
    platform_id text not null,
    url         text,
    post        text references posts (id),
    part        bigint,
    state       text not null check (state in ('ordered', 'captured', 'acting', 'still_visible', 'unknown', 'gone', 'hidden', 'kept', 'not_attempted')),
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
CREATE TABLE transitions (                           -- the law's table, for the database's own check
    was   text not null,
    event text not null,
    is_now text not null,
    primary key (was, event)
);
INSERT INTO "transitions" VALUES('queued','claim','claimed');
INSERT INTO "transitions" VALUES('queued','miss','missed');
INSERT INTO "transitions" VALUES('queued','reschedule','queued');
INSERT INTO "transitions" VALUES('queued','cancel','cancelled');
INSERT INTO "transitions" VALUES('claimed','unclaim','queued');
INSERT INTO "transitions" VALUES('claimed','block','blocked');
INSERT INTO "transitions" VALUES('claimed','intend','sending');
INSERT INTO "transitions" VALUES('blocked','mend','queued');
INSERT INTO "transitions" VALUES('blocked','miss','missed');
INSERT INTO "transitions" VALUES('blocked','reschedule','queued');
INSERT INTO "transitions" VALUES('blocked','cancel','cancelled');
INSERT INTO "transitions" VALUES('sending','unsent','queued');
INSERT INTO "transitions" VALUES('sending','landed','published');
INSERT INTO "transitions" VALUES('sending','go on','queued');
INSERT INTO "transitions" VALUES('sending','refuse','refused');
INSERT INTO "transitions" VALUES('sending','lose','unknown');
INSERT INTO "transitions" VALUES('unknown','landed','published');
INSERT INTO "transitions" VALUES('unknown','go on','queued');
INSERT INTO "transitions" VALUES('unknown','absent','queued');
INSERT INTO "transitions" VALUES('unknown','cancel','cancelled');
INSERT INTO "transitions" VALUES('missed','release','queued');
INSERT INTO "transitions" VALUES('missed','reschedule','queued');
INSERT INTO "transitions" VALUES('missed','cancel','cancelled');
INSERT INTO "transitions" VALUES('refused','reschedule','queued');
INSERT INTO "transitions" VALUES('published','retract','retracting');
INSERT INTO "transitions" VALUES('retracting','gone','retracted');
INSERT INTO "transitions" VALUES('retracting','still there','published');
CREATE TABLE zones (                                 -- by which rules the wall times of a zone were computed
    zone        text primary key,
    fingerprint text not null
);
INSERT INTO "zones" VALUES('Europe/Stockholm','5e0a7819287cfa9cdd78978ff13436d235830d48f5ed1ebd87a4584db2d87768');
CREATE INDEX posts_due on posts (account, state, at, seq);
CREATE UNIQUE INDEX attempts_open on attempts (post) where ended_at is null;
CREATE INDEX attempts_of_post on attempts (post, started_at);
CREATE INDEX attempts_of_account on attempts (account, started_at);
CREATE INDEX attempts_ended on attempts (ended_at);
CREATE INDEX freezes_in_force on freezes (scope) where lifted_at is null;
CREATE INDEX posts_half_sent on posts (account, at, seq) where live > 0 and live < parts;
CREATE UNIQUE INDEX parts_platform_ids on parts (account, platform_id);
CREATE UNIQUE INDEX holds_of_posts on holds (post) where lifted_at is null;
CREATE UNIQUE INDEX holds_of_tags on holds (tag) where lifted_at is null;
CREATE INDEX posts_by_wall on posts (zone, at, seq) where wall is not null and state in ('queued', 'blocked');
CREATE INDEX posts_by_state on posts (state, at, seq);
CREATE UNIQUE INDEX posts_platform_ids on posts (account, platform_id) where platform_id is not null;
CREATE INDEX posts_paced on posts (account, at) where state = 'queued' and pace > 0;
CREATE INDEX publications_alike on publications (said);
CREATE UNIQUE INDEX incidents_open on incidents (coalesce(closed_at, 0)) where closed_at is null;
CREATE INDEX takedowns_by_time on takedowns (at);
CREATE INDEX targets_open on targets (account, state) where ended_at is null;
CREATE INDEX targets_of_post on targets (account, platform_id);
CREATE INDEX retractions_of_account on retractions (account, at);
CREATE INDEX looks_due on looks (due_at) where done_at is null;
CREATE INDEX sweeps_due on sweeps (due_at) where done_at is null;
CREATE INDEX natives_wanted on natives (account) where state = 'listed' and wanted <> 'list';
CREATE INDEX bundles_of_post on bundles (account, platform_id);
CREATE INDEX bundles_by_time on bundles (created_at);
CREATE INDEX stamps_due on stamps (due_at) where done_at is null;
CREATE INDEX posts_of_campaign on posts (campaign, at, seq) where campaign is not null;
CREATE TRIGGER posts_move_by_the_law before update of state on posts
when new.state <> old.state
 and not exists (select 1 from transitions where was = old.state and is_now = new.state)
begin
    select raise(abort, 'illegal move of a post');
end;
CREATE TRIGGER posts_counted_in after insert on posts
begin
    insert into counts (account, state, n) values (new.account, new.state, 1)
    on conflict (account, state) do update set n = n + 1;
end;
CREATE TRIGGER posts_counted_on after update of state on posts when new.state <> old.state
begin
    update counts set n = n - 1 where account = old.account and state = old.state;
    insert into counts (account, state, n) values (new.account, new.state, 1)
    on conflict (account, state) do update set n = n + 1;
end;
CREATE TRIGGER posts_never_deleted before delete on posts begin select raise(abort, 'posts are never deleted'); end;
CREATE TRIGGER posts_never_replaced before insert on posts
when exists (select 1 from posts where id = new.id or seq = new.seq or (account = new.account and ref = new.ref))
begin
    select raise(abort, 'posts are never replaced');
end;
CREATE TRIGGER posts_keep_their_names before update of id, seq, account, ref on posts
when new.id <> old.id or new.seq <> old.seq or new.account <> old.account or new.ref is not old.ref
begin
    select raise(abort, 'posts are never renamed');
end;
CREATE TRIGGER parts_never_changed before update on parts begin select raise(abort, 'live parts are never changed'); end;
CREATE TRIGGER parts_never_deleted before delete on parts begin select raise(abort, 'live parts are never forgotten'); end;
CREATE TRIGGER journal_only_grows before insert on journal
when new.seq <> (select coalesce(max(seq), 0) + 1 from journal)
begin
    select raise(abort, 'the journal is append-only');
end;
CREATE TRIGGER journal_never_changed before update on journal begin select raise(abort, 'the journal is append-only'); end;
CREATE TRIGGER journal_never_deleted before delete on journal begin select raise(abort, 'the journal is append-only'); end;
COMMIT;
