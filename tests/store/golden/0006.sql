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
INSERT INTO "attempts" VALUES('a-lflkdccocr3zh3mo','p-z3vmpw5iompaivdd','acme','p-z3vmpw5iompaivdd-eb485ec6d665ca29',1795660282054,1795660282061,'landed','117680392244953088',0,NULL,0);
INSERT INTO "attempts" VALUES('a-yock6nbhdjkrfjy7','p-monnfzvlkfzfqnrz','beta','p-monnfzvlkfzfqnrz-a136a069aa564ace',1795660283295,1795660283315,'landed','117680392326807552',0,NULL,0);
INSERT INTO "attempts" VALUES('a-oogqfkwfiqklsgxe','p-vlsvv7mql7uqstwc','beta','p-vlsvv7mql7uqstwc-ac181158eb8332b9',1795660316823,NULL,NULL,NULL,0,NULL,0);
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
INSERT INTO "counts" VALUES('beta','queued',1);
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
INSERT INTO "freezes" VALUES('f-43v466cqegkc6375','brand:acme','a golden freeze','root',1795660297666,2,'e5e7d172bb7a9660',NULL,NULL,NULL);
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
INSERT INTO "holds" VALUES('h-3z7nue4ruva7uace',NULL,'"launch"','the date moves','root',1795660295266,NULL,NULL);
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
INSERT INTO "incidents" VALUES('i-wtcfluqy2fy7gmni','a golden freeze','root',1795660297735,14,NULL,NULL,NULL);
CREATE TABLE journal (
    seq  bigint primary key,
    at   bigint not null,
    kind text not null,
    who  text not null,
    data text not null,
    prev text not null,
    hash text not null
);
INSERT INTO "journal" VALUES(1,1795660279436,'started','guardian','{"unclaimed": 0, "unknown": 0}','0000000000000000000000000000000000000000000000000000000000000000','6392628e844463cde841c1ab24121cb304968e9e0117617febe9f70285621263');
INSERT INTO "journal" VALUES(2,1795660279528,'clock_trusted','guardian','{"boot": "64491e8f-b4e7-4df7-b26a-1a9b7961609b", "offset": 1795632045550, "why": "it goes on as before"}','6392628e844463cde841c1ab24121cb304968e9e0117617febe9f70285621263','18ed7b622adc241b55fac43402ebf7093ad3d9aa03dc96ee34760b9f714ac870');
INSERT INTO "journal" VALUES(3,1795660279536,'custody','guardian','{"bundle": null, "event": "key found", "fingerprint": "SHA256:pwCBZFLTNMOYDJCOnT2YAAtxuw89Nr2yBX0Zj45bY1Y"}','18ed7b622adc241b55fac43402ebf7093ad3d9aa03dc96ee34760b9f714ac870','0ca20113d49180f8da681e03da0d344e117328aa7a9ad0e49f27cba7cf75a3d3');
INSERT INTO "journal" VALUES(4,1795660282050,'entered','root','{"post": "p-z3vmpw5iompaivdd", "account": "acme"}','0ca20113d49180f8da681e03da0d344e117328aa7a9ad0e49f27cba7cf75a3d3','0c453165e399d81f8a6a86659c1e053a4ee64f4075349479c4f987f86b69e354');
INSERT INTO "journal" VALUES(5,1795660282061,'published','guardian','{"post": "p-z3vmpw5iompaivdd", "account": "acme", "platform_id": "117680392244953088", "url": "http://127.0.0.1:18473/@acme/117680392244953088", "found": false, "record": "06e275b7bd6aff229ffd5337e51a157dbfa65baf1de7f3837ecc265abe527fed"}','0c453165e399d81f8a6a86659c1e053a4ee64f4075349479c4f987f86b69e354','a7a386d2deb110efbf0df2e043178bb82c32e1385963c14672e75e0dd29cf815');
INSERT INTO "journal" VALUES(6,1795660283277,'entered','root','{"post": "p-monnfzvlkfzfqnrz", "account": "beta"}','a7a386d2deb110efbf0df2e043178bb82c32e1385963c14672e75e0dd29cf815','51ab1f45d074a0fb3fcd92ba83d096b4302a76b5d327611c4c96cf46c85aa2de');
INSERT INTO "journal" VALUES(7,1795660283315,'published','guardian','{"post": "p-monnfzvlkfzfqnrz", "account": "beta", "platform_id": "117680392326807552", "url": "http://127.0.0.1:18473/@beta/117680392326807552", "found": false, "record": "63469f50f67da678f3e7dbe97c5405dd35ae9b9d88d39266fc5189530b19ad3b"}','51ab1f45d074a0fb3fcd92ba83d096b4302a76b5d327611c4c96cf46c85aa2de','d11b381f63cf4256f2163b6a1a6db52acfd1d39a8e1d1fe1cf5af9106f30fee9');
INSERT INTO "journal" VALUES(8,1795660285202,'entered','root','{"post": "p-r6n4d3zk5nxuidsb", "account": "acme"}','d11b381f63cf4256f2163b6a1a6db52acfd1d39a8e1d1fe1cf5af9106f30fee9','f962e03667e0c52f8d0fdba5e354bd5ba2f4a326084ff29ca865e5bf80ac3190');
INSERT INTO "journal" VALUES(9,1795660286919,'entered','root','{"post": "p-nay4jqdz2q3a2krx", "account": "acme"}','f962e03667e0c52f8d0fdba5e354bd5ba2f4a326084ff29ca865e5bf80ac3190','1f128e5bfb6fee596351b0e43202010e12b9fcb6bf85ac0103c61c56a8a902a6');
INSERT INTO "journal" VALUES(10,1795660288831,'entered','root','{"post": "p-5dtobsie32xftoyz", "account": "acme"}','1f128e5bfb6fee596351b0e43202010e12b9fcb6bf85ac0103c61c56a8a902a6','f896810bfa8ae21b7bab6bf9fffe04de7f6ab6980ef1f15cf02ec788b7d605a9');
INSERT INTO "journal" VALUES(11,1795660290502,'entered','root','{"post": "p-5lxwxjewigbz2fro", "account": "acme"}','f896810bfa8ae21b7bab6bf9fffe04de7f6ab6980ef1f15cf02ec788b7d605a9','77b58ab24c905924e18f1e73783c49144af99be83df2b6030c409a772f3c1365');
INSERT INTO "journal" VALUES(12,1795660293143,'entered','root','{"post": "p-wsj4l3b6vthiyasz", "account": "beta"}','77b58ab24c905924e18f1e73783c49144af99be83df2b6030c409a772f3c1365','cb77a22a889e5b6fdf92204432e2ca414b00e59b7b298a2f4f8c49a1c657dfeb');
INSERT INTO "journal" VALUES(13,1795660295266,'held','root','{"hold": "h-3z7nue4ruva7uace", "tag": "launch", "reason": "the date moves"}','cb77a22a889e5b6fdf92204432e2ca414b00e59b7b298a2f4f8c49a1c657dfeb','4276a432b89b53f6ae2ef0e47549fb2633c393b91cfc9920fa54ca062cac6c52');
INSERT INTO "journal" VALUES(14,1795660297735,'incident opened','root','{"incident": "i-wtcfluqy2fy7gmni", "reason": "a golden freeze", "cause": "freeze"}','4276a432b89b53f6ae2ef0e47549fb2633c393b91cfc9920fa54ca062cac6c52','999634a28161bd733ac41bcda8b9814e033156da250eab9502aad3a3c21fd1c5');
INSERT INTO "journal" VALUES(15,1795660297735,'frozen','root','{"freeze": "f-43v466cqegkc6375", "scope": "brand:acme", "reason": "a golden freeze", "epoch": 2, "ordered_at": 1795660297666, "incident": "i-wtcfluqy2fy7gmni"}','999634a28161bd733ac41bcda8b9814e033156da250eab9502aad3a3c21fd1c5','6f20e57244ac2709a4b7e2c9694a272bc418f9499377d10443360e1d914e7c20');
INSERT INTO "journal" VALUES(16,1795660297821,'freeze confirmed','root','{"incident": "i-wtcfluqy2fy7gmni", "ordered_at": 1795660297666, "scopes": ["brand:acme"], "door": "direct", "durable": true, "elapsed_ms": null, "held": 4, "unconfirmed": []}','6f20e57244ac2709a4b7e2c9694a272bc418f9499377d10443360e1d914e7c20','208228dadcdde625de38420e5c809cc40441e7127eeeb065cde469bc4dbe47b8');
INSERT INTO "journal" VALUES(17,1795660299371,'entered','root','{"post": "p-4yheosmuax7rypxy", "account": "acme"}','208228dadcdde625de38420e5c809cc40441e7127eeeb065cde469bc4dbe47b8','c116a01811ebb32a70643fabee64bbf843a82cf903a0ddcf2e063ba7096d8eb9');
INSERT INTO "journal" VALUES(18,1795660299766,'missed','guardian','{"count": 1, "posts": ["p-4yheosmuax7rypxy"]}','c116a01811ebb32a70643fabee64bbf843a82cf903a0ddcf2e063ba7096d8eb9','70fe8956f5f709d8c9b1b241fb08f0d62ca02907c345c98c3e64ae1fcef42e7f');
INSERT INTO "journal" VALUES(19,1795660301840,'stopped','guardian','{}','70fe8956f5f709d8c9b1b241fb08f0d62ca02907c345c98c3e64ae1fcef42e7f','e9fc71f7b58b9cecb73658306958b1a0d0fb565335fd030dea3578753dba5e84');
INSERT INTO "journal" VALUES(20,1795660313188,'started','guardian','{"unclaimed": 0, "unknown": 0}','e9fc71f7b58b9cecb73658306958b1a0d0fb565335fd030dea3578753dba5e84','50c613b2820967f41a2e467b1beba4e0b22d816486a58cb87185fbba01c5ab10');
INSERT INTO "journal" VALUES(21,1795660316816,'entered','root','{"post": "p-vlsvv7mql7uqstwc", "account": "beta"}','50c613b2820967f41a2e467b1beba4e0b22d816486a58cb87185fbba01c5ab10','65fa817c6120e7a3f184ebc14e6af95327f640a04098256fb2fa8c8640c7f3b6');
CREATE TABLE journal_posts (                         -- a line names at most 500 posts; here are all that it tells about
    post text not null,
    seq  bigint not null,
    primary key (post, seq)
);
INSERT INTO "journal_posts" VALUES('key SHA256:pwCBZFLTNMOYDJCOnT2YAAtxuw89Nr2yBX0Zj45bY1Y',3);
INSERT INTO "journal_posts" VALUES('p-z3vmpw5iompaivdd',4);
INSERT INTO "journal_posts" VALUES('p-z3vmpw5iompaivdd',5);
INSERT INTO "journal_posts" VALUES('p-monnfzvlkfzfqnrz',6);
INSERT INTO "journal_posts" VALUES('p-monnfzvlkfzfqnrz',7);
INSERT INTO "journal_posts" VALUES('p-r6n4d3zk5nxuidsb',8);
INSERT INTO "journal_posts" VALUES('p-nay4jqdz2q3a2krx',9);
INSERT INTO "journal_posts" VALUES('p-5dtobsie32xftoyz',10);
INSERT INTO "journal_posts" VALUES('p-5lxwxjewigbz2fro',11);
INSERT INTO "journal_posts" VALUES('p-wsj4l3b6vthiyasz',12);
INSERT INTO "journal_posts" VALUES('i-wtcfluqy2fy7gmni',14);
INSERT INTO "journal_posts" VALUES('i-wtcfluqy2fy7gmni',15);
INSERT INTO "journal_posts" VALUES('i-wtcfluqy2fy7gmni',16);
INSERT INTO "journal_posts" VALUES('p-4yheosmuax7rypxy',17);
INSERT INTO "journal_posts" VALUES('p-4yheosmuax7rypxy',18);
INSERT INTO "journal_posts" VALUES('p-vlsvv7mql7uqstwc',21);
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
INSERT INTO "migrations" VALUES(1,'0001_house.sql',1795660278710);
INSERT INTO "migrations" VALUES(2,'0002_seals.sql',1795660278710);
INSERT INTO "migrations" VALUES(3,'0003_everyday.sql',1795660278710);
INSERT INTO "migrations" VALUES(4,'0004_speed.sql',1795660278710);
INSERT INTO "migrations" VALUES(5,'0005_story.sql',1795660278710);
INSERT INTO "migrations" VALUES(6,'0006_incident.sql',1795660278710);
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
    changed_at  bigint not null, seal text, media text, tail text, parts bigint not null default 1, live bigint not null default 0, wall text, pace bigint,
    check (state <> 'published' or platform_id is not null),     -- no false success (invariant I7)
    unique (account, ref)
);
INSERT INTO "posts" VALUES('p-z3vmpw5iompaivdd',1,'acme','published',1795660282050,1795660282050,NULL,'published by acme åäö 😀',NULL,NULL,NULL,'[]',NULL,'95600f41815c1dc8c371c75971aac9d41e101886c8f4274d8e954d8b444653d0',NULL,'117680392244953088','http://127.0.0.1:18473/@acme/117680392244953088',1795660282050,'root',1795660282061,'24a2d22426416ac1a1e5e87d75e274468571416ddbeb53b57e9ee89937bfb794',NULL,NULL,1,1,NULL,NULL);
INSERT INTO "posts" VALUES('p-monnfzvlkfzfqnrz',2,'beta','published',1795660283277,1795660283277,NULL,'published by beta åäö 😀',NULL,NULL,NULL,'[]',NULL,'da3b4c5041f08424c6021c60af7206f874215053a7c48df6c4de55cfded9f4cf',NULL,'117680392326807552','http://127.0.0.1:18473/@beta/117680392326807552',1795660283277,'root',1795660283315,'1025d523e3dd83dd64cca6938460ed3908ae4886f27243364ab241e01a66db86',NULL,NULL,1,1,NULL,NULL);
INSERT INTO "posts" VALUES('p-r6n4d3zk5nxuidsb',3,'acme','queued',1925280000000,1795660285202,'Europe/Stockholm','planned 0',NULL,NULL,NULL,'["launch"]','plan-0','0181bf7270cc3a7f98d57e1b6ef2bf7cd4c806885f098f21ff16a7c079e0ec5d',NULL,NULL,NULL,1795660285202,'root',1795660285202,'9e7840976034036f7440be7eb98d6e26282ca53d55ca7d132633a0271b5851de',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-nay4jqdz2q3a2krx',4,'acme','queued',1925280000000,1795660286919,'Europe/Stockholm','planned 1',NULL,NULL,NULL,'["launch"]','plan-1','94d0ce899297088b91e99ab97057ff70b64b5a6fad031f85a651aff927834512',NULL,NULL,NULL,1795660286919,'root',1795660286919,'281054bda1822364ec61fd4fa2a3a314ef5afcb840250c7e5c72a63d6135c313',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-5dtobsie32xftoyz',5,'acme','queued',1925280000000,1795660288831,'Europe/Stockholm','planned 2',NULL,NULL,NULL,'["launch"]','plan-2','6fb37cd4e33d165ca40d16686a5e47ee2c4a5ec9f10162562d25b087759ec2c2',NULL,NULL,NULL,1795660288831,'root',1795660288831,'7f09344d17fd9d0a55b7d6e03baec8446fc3d5c83768707d116ed713045781eb',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-5lxwxjewigbz2fro',6,'acme','queued',1925280000000,1795660290502,'Europe/Stockholm','planned 3',NULL,NULL,NULL,'["launch"]','plan-3','0eaef3e0af2a8259b13bbd6125c8a0d76bfe758fc8ac73e2c6f0a6932d250ff8',NULL,NULL,NULL,1795660290502,'root',1795660290502,'15afdb5732103609a0239697835adebbf5a82317074787e2035473b77b36be29',NULL,NULL,1,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-wsj4l3b6vthiyasz',7,'beta','queued',1925280000000,1795660293143,'Europe/Stockholm','one',NULL,NULL,NULL,'["launch"]',NULL,'8e6545d56fd16aa01a5c1cf15400751285a83b32c39ac30e85683cff3ec2efc8',NULL,NULL,NULL,1795660293143,'root',1795660293143,'447fae98c20b77c277b97c009e066e0c549d6080a5b171331ec59fde1ed99275',NULL,'[{"text": "two", "media": []}]',2,0,'2031-01-04T09:00:00',NULL);
INSERT INTO "posts" VALUES('p-4yheosmuax7rypxy',8,'acme','missed',1795660299371,1795660299371,NULL,'missed under the freeze',NULL,NULL,NULL,'[]',NULL,'221bc729526d133c8c8819953c6ad6826748b3c2f5e015cf1b074479547417a6','its time passed while a freeze covered it',NULL,NULL,1795660299371,'root',1795660299766,'6ddf73660f5a4432cf3e218ced77f2affb047b7f7b7728fef9a81ac70bd5d124',NULL,NULL,1,0,NULL,NULL);
INSERT INTO "posts" VALUES('p-vlsvv7mql7uqstwc',9,'beta','sending',1795660316816,1795660316816,NULL,'in the middle of a send',NULL,NULL,NULL,'[]',NULL,'6448944705accfd5fb0d8fdc7d1041d535242271d0fc674c915e8688f769ff54',NULL,NULL,NULL,1795660316816,'root',1795660316823,'082459203deff26b8b9e57ec8acbd4f1bd44f49d036c98cc424f18e7f693640d',NULL,NULL,1,0,NULL,NULL);
CREATE TABLE publications (                          -- the record of each part that is live, sealed when it went live
    post   text not null references posts (id),
    part   bigint not null,                          -- its nr, from 0
    at     bigint not null,
    sha256 text not null,                            -- of the record's bytes; stands in the journal's line `published`
    record blob not null,                            -- JSON, compressed with zlib: text, files, who, request, answer
    said   text not null,                            -- a digest of its words and files: who else says the same?
    primary key (post, part)
);
INSERT INTO "publications" VALUES('p-z3vmpw5iompaivdd',0,1795660282061,'06e275b7bd6aff229ffd5337e51a157dbfa65baf1de7f3837ecc265abe527fed',X'7801A5565D6EDB4610BE8A40C07D884D8BA4245A52E32069DAB445D31F382E50D436842539923659EE32CBA564C530D063F4AD2FED157A015FA847E8CC2E29C9B4E4A6086C08DCF99FD999FDE6C66369AA2A69BC317EE5E01D79896632DB1CB30A26CC4CF2D21B8727A3411C07D1300A06C19107D28086EC3FB8C90A6D69A50C9A86EB74CEE40CBCF18D97C08CC95DBA83232F07335714C34F3FBE3947BD0240E3298C4E8E03FC0BC7E1B07FD2438686F715946692A80CDDDC7806AE2993D2305395A74595085ECE213B4C568794DDE1C1CBDEC18B81FDEDD3EF17F1E1C1ABE060F4EA60343C18069F95204B6EF8024E03EF76637E0E2C038D15B8B8F0BE5125A5D28EE5EAE8C2FBB904EDBF98615D286694F36715D31967D223F68B3485C2F85FC954655CCE50866728CBCD6A8B8DD427DD2796F0524909A9E14A223115AA044BFE3683BC500664BAF2BF8315B9F23FF41679B11C7095178C2FB2CC87A43F1C401A67713C485934721E2A2CABE61F586DF34243AE16905D35EED0A8F15F839C99399A8D87F7E8E7AB82DA831585E0A935D1BDF697CBA53F553AF72B2D30229541E65D5D51E5CA42C912DA37737389495F7AE3CEA5178627F130E88DA2A8DF1F0D7AC17078E91D213DD5C08C6D2B27170551EC87A11FC5E74134EE85E3283A0E06A35F9D34647C232C2B21C80497130D85584D8C9A3877BB3875E7B724D62D40DEA74C944016311B2E404FA8C15C58CEFD82973CE102EFD0516DCBA58E27B0D52B3603C701E9A895E68E3037A61877BBAD46EA56D8446597BAB5EBDA18CAEEBE5261D11FB5F5DC9AD9A79D2A1C6059A7F3B478B61E974EB2EA9066E7EEAFBB3FEFFEEEFCF3C7EFBF3DED16CF5C02532EECDC93E78B2B2A4E5EE115D0715DAE44A97739D3EF5AE4826347DF97D490083523E5E68AB61A8CC8D83192E57511CF004751970CD326C74B48705C2D8FB46F8956DF6AADDA6EB6B01F8E8278D80FE3FA36B0DA1BF394B4A3A395BA301B5AC6CB42B0D56497BC50693BD944590BEB9AA07A8AD3A659226CC46B0697195C3FA0CEB4AA8A7B457D6C30827140FFC74110D48321F18920F54BAFCEF4637AA511FDD816AD8BB5608669E76C4F57EBE6E2BA054F4DA5E1B85CE0ADDB0BB3DA136A768E934311FF7F23EE85FE34ED4F0C61AA84504B1CDE8905548A25A0FC1C1D1FFC16BD99EE0D392471C110CF1C0FD191AC34833147B84061211C2894DB3CA96C1711C9E8CA3E59F8B6BFE556C84DA95602B68E530E22ABCF7670727C4A19BA342C9DE7F82E6CC9D21161688B62D86CEBD4769522EA6D475760D0DBE7F755DD9C4D6AF45A736857CEBD0D6DEA942D143EA2E681B8B5BA577AD7B333DB7A8C6E1DE0D7B0B58DF85F221C21F09DCFABA34E14777E508B0E6152A741A3CED7DF9F5BA47C031AE71B45D7DD6EC9BFF86768E135CF39822BFDA2442F081EF0CE20675CBACD201AC53BF825906E0B1007CDDC5B055C1A2C8AEF40EBB7A5929F777003D368E7B43253FF3EC0AF813F1CD40BC3AE0D04C1DD75A7378E02DC028DC0BDC8DEA3877084CBD79EE16505EF2EC235A651B5A7B878E296E71EC2CD3234F62C6E3D6F2123668E888A0B06F6E8BD5D340E2DC7626D138A6D66DCD730DA826994C748E983B658FC12CCD0D682D1E6386E2AB32B5643C5858096CD07EB0906404B1DF21E2E5CC8D3306DBCD37438E7F542FA28B4A2EEA395DB87E2A887ED56D27E48496D5691268C25D3B69DECF5DCFE0B33EEB92D','5310aa600c101a23de8cd33e0d2eefb6');
INSERT INTO "publications" VALUES('p-monnfzvlkfzfqnrz',0,1795660283315,'63469f50f67da678f3e7dbe97c5405dd35ae9b9d88d39266fc5189530b19ad3b',X'7801A5566B6EE33610BE8A2120FDB1B162498EE547378B4DB7DDB6E8F6816C0A144D02839246363714A950941D2708D063F45FFFB457E80572A11EA14352B215D94EB75824B0CD79CF7086DFDC3B248E45C99533712250C4E93A91243CD91C9312A6444DB3C299F8C3F1200CBD60D40F86C3AE035C8184E43FB8D10A6D4921149A86DB784EF80C9CC93D7A9B11BE43773CEE3A19A8B9D031FCF4E3FB73D4CB01249EFC6078E4E19F3FF147C7C33E3224DC9450A86924127473EF28B8D599148AA8B238C9CB88D1620EC961B43AD4D91D1EBCE91F9C0ECCE7B1FEFC223C3C78EB1D8CDF1E8C470723EFB3027841155DC089E73C6CCCCF812420B1021717CE37A2D0A9B463B9EA5E383F1720DDD319D645C78C72EEAC2432A1843B9A7D1AC7902BF72B1E8B84F219CAD00465A95A35D8487DD17B61086F04E7102B2A381263260A30E46F13C872A180C72BF73B5869576E86A2E9DD825DA777E90D97772EF1FB21F1C2312183F098C456F3B4C4B24A7A472A9B171232B180E4AA76874695FB0EF84CCDD16C387A423F5FE5805492E78CC6C644EFD65D2E976E2A64E6969261442281C4B9BAD2952B72C10B68DFCCFD25267DE94C3A978EEF0FC391D71F07FD00BF87834170E974911E4B20CAB495950BBC20747DDF0DC2732F98F4FD49D03FEA7BC35FAD34247423CC4BC6B409CAA71272B69A2A31B5EE7671AACE6F49AC5B407B4F092B405BC46C280339D50D66C3B2EE17B4A011657887966A5A2EB63C86AD5E9219580E704B2D25B584B952F9A4D76B3552AFC4262A7ABA5B7BB68DA1E8ED2B1516FD595BAF8D997DDAB1C001E6553A2FF357EB71E944AB8ED6EC3CFEF5F8E7E3DF9D7FFEF8FDB797BDFC954D20A5CCCCBDF67C71A58B93957805FAB82E5724C47546E4758B9C53ECE8A792122226665AB9BEA246836932760C275955C433C0519405C1B4B5E3254438AE86A7B51F34ADBAD54AB5DD6CFEB13FF6C2D1B13FAC6E03ABBD31AF93B674B4521566434B689133B29AEE9267226E271B0963615D13548F71DA2489988978CDA03C81DB2DEA4C8A327F52D4E706C39B78FAFFC8F3BC6A30383E115AFDD2A932FD985EA9453FB645AB622D8822D23ADBD3D5B2BEB85E4E63554A382A1678EBE6C28CF654373BC5C9D111FF7F23F685FE34ED4F0C21158C89250EEFD400AA8EC5D3F9593A3EF82D7A3DDD1BB2AFC519413CB33C44476DA51E8C39C2050A336641A168F2B8305DA4494A96E6C9C2B7FD033542764AA560D038A61458529DCDE064F8941274A9483CCFF05D68C8EA23C25083A2C8AC716ABB8A11F59AD1E51874F37C5356CD59A7A65F6B0AEDCAD9B7A14D4DC942E023AAB6C48DD5BDD2BB9E9D59E3317AB0805FC15613F1BF443842E03B9F97DD4E10767E108B8EC6A44E8D469DAFBF3F3748F91E24CE378AAEBBDD907F71CFD0C23B9A510457FD89127DCFDBE29D414628B79B41300E77F00BD0BA2D401CD4736F1470693028BE03AD3F14827FDEC10D4CA29D9352A5EE53805F03BF3F08C6B5B1AD0D04C1DD76A733093CAFEB28867B91B94707E10897AF3DC34B72DA5BF86B4CD3D54E71F1C42DCF3E849B6568E218DC7ADD4246CC1C1115170CECD1E62EDAF7078663B0B60EC53433EE6B186D4E24CA63A4FA87DE62F117234A6F2D186D86E32612B362D5545C08F4B2B9B59E60007AA943DEF6C2853C0969ED5D4F87755E2DA4CF422BEA3E5BB97D288E7AD86E85DE0F75529B55A40E6349A46927733D0FFF027C82BA92','fa136f5cc53127ab8d2c3297b3e2ade3');
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
INSERT INTO "sweeps" VALUES('s-z6q4sujiiqc4sivk','i-wtcfluqy2fy7gmni','acme',1795660237666,1795660342666,NULL,NULL);
CREATE TABLE tags (                                  -- as JSON writes them, quotes and all, like those of the holds
    tag  text not null,
    post text not null references posts (id),
    primary key (tag, post)
);
INSERT INTO "tags" VALUES('"launch"','p-r6n4d3zk5nxuidsb');
INSERT INTO "tags" VALUES('"launch"','p-nay4jqdz2q3a2krx');
INSERT INTO "tags" VALUES('"launch"','p-5dtobsie32xftoyz');
INSERT INTO "tags" VALUES('"launch"','p-5lxwxjewigbz2fro');
INSERT INTO "tags" VALUES('"launch"','p-wsj4l3b6vthiyasz');
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
