-- Every query of the house, by name, with one sentence. In the subset that SQLite and PostgreSQL share.

-- name: insert_post!
-- Put a new post into the queue.
insert into posts (id, seq, account, state, at, entered_at, zone, wall, text, warning, language, visibility, media, tail, parts,
                   tags, campaign, ref, digest, created_at, created_by, changed_at, seal)
values (:id, (select coalesce(max(seq), 0) + 1 from posts), :account, 'queued', :at, :now, :zone, :wall, :text, :warning,
        :language, :visibility, :media, :tail, :parts, :tags, :campaign, :ref, :digest, :now, :created_by, :now, :seal);

-- name: post_by_id^
-- One post.
select * from posts where id = :id;

-- name: sealed_posts_after
-- A page of posts in the order of their entry, for whoever looks whether their seals still fit.
select * from posts where seq > :after and seal is not null order by seq limit :limit;

-- name: post_by_ref^
-- The post that a caller's own id names.
select * from posts where account = :account and ref = :ref;

-- name: posts_of_campaign
-- The posts of a campaign, in the order of their time, from a place on.
select * from posts
where campaign = :campaign
  and at >= :after_at and (at > :after_at or seq > :after_seq) and at < :before
order by at, seq;

-- name: post_of_campaign$
-- A post of a campaign, if it has any.
select id from posts where campaign = :campaign limit 1;

-- name: waiting_of_campaign$
-- How many posts of a campaign wait, and have nothing on their platform yet.
select count(*) from posts where campaign = :campaign and live = 0 and state in ('queued', 'blocked');

-- name: campaigns
-- Names of campaigns, in their order.
select distinct campaign from posts where campaign is not null order by campaign limit :limit;

-- name: variant_at$
-- The post of an account that a campaign has at that moment already, unless it is never sent, or gone.
select id from posts
where campaign = :campaign and at = :at and account = :account and state not in ('refused', 'cancelled', 'retracted')
order by seq limit 1;

-- name: live_of_campaign
-- What of the other posts of a campaign is on the platforms as far as we know, those that came last first.
select p.id as post, p.account, 0 as part, p.platform_id, p.url, p.seq from posts p
where p.campaign = :campaign and p.id <> :post and p.live > 0 and p.platform_id is not null
  and p.state not in ('retracting', 'retracted')
union all
select p.id as post, p.account, l.nr as part, l.platform_id, l.url, p.seq from posts p join parts l on l.post = p.id
where p.campaign = :campaign and p.id <> :post and p.state not in ('retracting', 'retracted')
order by 6 desc, 3 limit :limit;

-- name: insert_tags*!
-- Note the tags of a post, as JSON writes them.
insert into tags (tag, post) values (:tag, :post);

-- name: posts_of_account
-- The posts of an account in one state, in the order of their time, from a place on; with a tag, or on hold, if asked.
select * from posts
where account = :account and state = :state
  and at >= :after_at and (at > :after_at or seq > :after_seq) and at < :before
  and (:tag is null or replace(tags, :tag, '') <> tags)
  and (:on_hold = 0 or exists (select 1 from holds h where h.post = posts.id and h.lifted_at is null)
       or exists (select 1 from holds h where h.tag is not null and h.lifted_at is null
                  and replace(posts.tags, h.tag, '') <> posts.tags))
order by at, seq;

-- name: posts_in_state
-- The posts of all accounts in one state, in the order of their time, from a place on; with a tag, or on hold, if asked.
select * from posts
where state = :state
  and at >= :after_at and (at > :after_at or seq > :after_seq) and at < :before
  and (:tag is null or replace(tags, :tag, '') <> tags)
  and (:on_hold = 0 or exists (select 1 from holds h where h.post = posts.id and h.lifted_at is null)
       or exists (select 1 from holds h where h.tag is not null and h.lifted_at is null
                  and replace(posts.tags, h.tag, '') <> posts.tags))
order by at, seq;

-- name: posts_tagged
-- The posts with a tag, in the order of their time, from a place on.
select p.* from tags t join posts p on p.id = t.post
where t.tag = :tag
  and p.at >= :after_at and (p.at > :after_at or p.seq > :after_seq) and p.at < :before
order by p.at, p.seq;

-- name: tagged_at_most$
-- How many posts have a tag; no more than `most` are counted.
select count(*) from (select 1 from tags where tag = :tag limit :most) few;

-- name: posts_on_hold
-- The posts that a hold covers, of themselves or (with `tags`) of a tag, in the order of their time, from a place on.
select * from posts
where id in (select h.post from holds h where h.lifted_at is null and h.post is not null
             union all
             select t.post from holds h join tags t on t.tag = h.tag where h.lifted_at is null and :tags = 1)
  and at >= :after_at and (at > :after_at or seq > :after_seq) and at < :before
order by at, seq;

-- name: accounts_and_states
-- Which accounts have posts in which states.
select account, state from counts where n > 0;

-- name: covered_accounts
-- The accounts that a scope covers.
select account from covers where scope = :scope;

-- name: frozen_accounts
-- The accounts that a freeze covers now.
select distinct c.account from covers c join freezes f on f.scope = c.scope where f.lifted_at is null;

-- name: held_by$
-- What holds a waiting post back: a freeze, its own hold or that of a tag; null when nothing does.
select coalesce(
    (select f.id from freezes f join covers c on c.scope = f.scope
     where c.account = p.account and f.lifted_at is null order by f.at limit 1),
    (select h.id from holds h where h.post = p.id and h.lifted_at is null),
    (select h.id from holds h
     where h.tag is not null and h.lifted_at is null and replace(p.tags, h.tag, '') <> p.tags order by h.at limit 1))
from posts p where p.id = :id and p.state in ('queued', 'blocked');

-- name: insert_hold!
-- Keep a post back, or every post with a tag.
insert into holds (id, post, tag, reason, by_whom, at) values (:id, :post, :tag, :reason, :by_whom, :at);

-- name: hold_of_post^
-- The hold in force of one post itself.
select * from holds where post = :post and lifted_at is null;

-- name: hold_of_tag^
-- The hold in force of a tag.
select * from holds where tag = :tag and lifted_at is null;

-- name: holds_of
-- Every hold in force that covers a post, its own first.
select h.* from holds h where h.post = :post and h.lifted_at is null
union all
select * from (select h.* from holds h join posts p on replace(p.tags, h.tag, '') <> p.tags
               where p.id = :post and h.tag is not null and h.lifted_at is null order by h.at, h.id);

-- name: holds_in_force
-- The holds that nobody has lifted, those of tags first.
select * from holds where lifted_at is null order by post is not null, at, id limit :limit;

-- name: holds_of_tags
-- The holds of tags that nobody has lifted.
select * from holds where lifted_at is null and tag is not null order by at, id;

-- name: holds_count$
-- How many holds are in force.
select count(*) from holds where lifted_at is null;

-- name: hold_what_waits!
-- After a restore: keep back every post that may have been sent since the backup was made, unless a hold of its own does.
insert into holds (id, post, reason, by_whom, at)
select :mark || p.seq, p.id, :reason, :by_whom, :now from posts p
where p.state in ('queued', 'claimed', 'blocked', 'sending', 'unknown', 'missed', 'refused')
  and not exists (select 1 from holds h where h.post = p.id and h.lifted_at is null);

-- name: held_by_whom$
-- How many posts somebody holds.
select count(*) from holds where by_whom = :by_whom and post is not null and lifted_at is null;

-- name: holds_by_whom
-- The holds of posts that somebody has placed, and nobody has lifted.
select * from holds where by_whom = :by_whom and post is not null and lifted_at is null order by at, id;

-- name: lift_hold!
-- Lift one hold.
update holds set lifted_at = :now, lifted_by = :by_whom where id = :id and lifted_at is null;

-- name: waiting_with_tag$
-- How many posts with a tag wait.
select count(*) from tags t join posts p on p.id = t.post where t.tag = :tag and p.state in ('queued', 'blocked');

-- name: last_paced$
-- When the last released post of an account that still waits is to go out.
select max(at) from posts where account = :account and state = 'queued' and pace > 0;

-- name: claim_due^
-- Take what of an account goes out next, a started thread first, unless a freeze or a hold covers it or its time has passed.
-- A released one keeps its distance from the released one before it; the parts of a thread need none.
-- Test and claim are one statement. (`coalesce`: so that SQLite finds a started thread by its own small index, and does not
-- pass everything that is due.)
update posts
set state = 'claimed', changed_at = :now, why = null
where not exists (select 1 from freezes f join covers c on c.scope = f.scope
                  where c.account = :account and f.lifted_at is null)
  and id = coalesce(
    (select p.id from posts p
     where p.account = :account and coalesce(p.state, '') = 'queued' and p.live > 0 and p.live < p.parts
       and p.at <= :now and p.at >= :late_before
       and not (p.at < :frozen_until and p.entered_at < :frozen_until)
       and not exists (select 1 from holds h where h.post = p.id and h.lifted_at is null)
       and not exists (select 1 from holds h where h.tag is not null and h.lifted_at is null
                         and replace(p.tags, h.tag, '') <> p.tags)
       and (coalesce(p.pace, 0) = 0 or not exists (
            select 1 from attempts a join posts o on o.id = a.post
            where a.account = p.account and a.started_at > :now - p.pace and a.started_at <= :now
              and a.post <> p.id and o.pace is not null and (a.outcome is null or a.outcome <> 'unsent')))
     order by p.at, p.seq limit 1),
    (select p.id from posts p
     where p.account = :account and p.state = 'queued' and p.at <= :now and p.at >= :late_before
       and not (p.at < :frozen_until and p.entered_at < :frozen_until)
       and not exists (select 1 from holds h where h.post = p.id and h.lifted_at is null)
       and not exists (select 1 from holds h where h.tag is not null and h.lifted_at is null
                         and replace(p.tags, h.tag, '') <> p.tags)
       and (coalesce(p.pace, 0) = 0 or not exists (
            select 1 from attempts a join posts o on o.id = a.post
            where a.account = p.account and a.started_at > :now - p.pace and a.started_at <= :now
              and a.post <> p.id and o.pace is not null and (a.outcome is null or a.outcome <> 'unsent')))
     order by p.at, p.seq limit 1))
returning *;

-- name: started_post^
-- The thread of an account that waits for its next part and may go on.
select p.id from posts p
where p.account = :account and coalesce(p.state, '') = 'queued' and p.live > 0 and p.live < p.parts
  and p.at <= :now and p.at >= :late_before
  and not (p.at < :frozen_until and p.entered_at < :frozen_until)
  and not exists (select 1 from holds h where h.post = p.id and h.lifted_at is null)
  and not exists (select 1 from holds h where h.tag is not null and h.lifted_at is null
                    and replace(p.tags, h.tag, '') <> p.tags)
order by p.at, p.seq limit 1;

-- name: next_due$
-- When the next post of an account falls due that is not held back already; looks no further than a horizon.
select p.at from posts p
where p.account = :account and p.state = 'queued' and p.at >= :late_before and p.at <= :horizon
  and not (p.at < :frozen_until and p.entered_at < :frozen_until)
  and not exists (select 1 from holds h where h.post = p.id and h.lifted_at is null)
  and not exists (select 1 from holds h where h.tag is not null and h.lifted_at is null
                    and replace(p.tags, h.tag, '') <> p.tags)
order by p.at limit 1;

-- name: move_post^
-- Move one post from a state to another, if it still is in the first; no row means that somebody was faster.
update posts set state = :to_state, why = :why, changed_at = :now where id = :id and state = :from_state returning *;

-- name: land_post^
-- Note that the part of a post that was due is live; what its first part is called on its platform is the post's name there.
update posts set state = :to_state, live = live + 1, platform_id = coalesce(platform_id, :platform_id), url = coalesce(url, :url),
                 why = null, changed_at = :now
where id = :id and state = :from_state
returning *;

-- name: land_part!
-- Note what a later part of a thread is called on its platform.
insert into parts (post, nr, account, platform_id, url, landed_at) values (:post, :nr, :account, :platform_id, :url, :now);

-- name: part_landed^
-- A later part of a thread that is live.
select * from parts where post = :post and nr = :nr;

-- name: parts_landed
-- The later parts of a thread that are live, in order.
select * from parts where post = :post order by nr;

-- name: half_sent
-- Threads of which some parts are live and others are not.
select id as post, account, state, url, live, parts, 'landed' as outcome from posts
where live > 0 and live < parts and state not in ('cancelled', 'retracting', 'retracted')
order by at, seq;

-- name: enter_post^
-- Put a post back into the queue with a new time, because a person said so.
update posts set state = 'queued', at = :at, entered_at = :now, zone = :zone, wall = :wall, pace = :pace, why = null,
                 changed_at = :now
where id = :id and state = :from_state
returning *;

-- name: miss_late
-- Miss every post of an account whose time has passed: too long ago, under a freeze, or on hold.
update posts
set state = 'missed', changed_at = :now,
    why = case when live > 0 then live || ' of ' || parts || ' parts are live; for the rest ' else '' end
       || case when at < :late_before then 'its time had passed by more than the limit'
               when at < :frozen_until and entered_at < :frozen_until then 'its time passed while a freeze covered it'
               else 'its time passed while it was on hold' end
where account = :account and state in ('queued', 'blocked') and at <= :now
  and (at < :late_before or (at < :frozen_until and entered_at < :frozen_until)
       or exists (select 1 from holds h where h.post = posts.id and h.lifted_at is null)
       or exists (select 1 from holds h where h.tag is not null and h.lifted_at is null
                  and replace(posts.tags, h.tag, '') <> posts.tags))
returning id;

-- name: twins_answered$
-- How often the platform answered an attempt of a post with the id of another: with nothing new, that is.
select count(*) from attempts where post = :post and part = :part and outcome = 'unsent' and detail like 'twin %';

-- name: stranded
-- Posts that were under way when something broke: of one account, or of all.
select * from posts where state in ('claimed', 'sending') and (:account is null or account = :account) order by at, seq;

-- name: open_attempt!
-- Commit the intent: from here bytes may leave.
insert into attempts (id, post, account, part, key, started_at) values (:id, :post, :account, :part, :key, :now);

-- name: close_attempt!
-- Write down what is known of an attempt.
update attempts set ended_at = :now, outcome = :outcome, detail = :detail where id = :id and ended_at is null;

-- name: resolve_attempt!
-- Say what an unknown attempt turned out to be.
update attempts set outcome = :outcome, detail = :detail where id = :id and outcome = 'unknown';

-- name: look_noted!
-- Count one look at the platform for an unknown attempt.
update attempts set looks = looks + 1, looked_at = :now where id = :id;

-- name: open_attempt_of^
-- The open attempt of a post.
select * from attempts where post = :post and ended_at is null;

-- name: attempts_of
-- Every attempt of a post, oldest first.
select * from attempts where post = :post order by started_at, id;

-- name: unknown_attempts
-- The unresolved attempt of every post that may be on its platform; times do not order attempts, clocks go back.
select a.* from attempts a join posts p on p.id = a.post
where p.state = 'unknown' and a.outcome = 'unknown'
order by a.started_at, a.id;

-- name: first_attempt_at$
-- When a part of a post may first have left.
select min(started_at) from attempts where post = :post and part = :part and (outcome is null or outcome <> 'unsent');

-- name: in_flight_since
-- Attempts that were open at some time since a moment, with where their posts are now.
select a.id as attempt, a.post, a.account, a.outcome, p.state, coalesce(t.url, p.url) as url, p.live, p.parts
from attempts a join posts p on p.id = a.post left join parts t on t.post = a.post and t.nr = a.part
where a.ended_at is null or a.ended_at >= :since
order by a.started_at, a.id;

-- name: count_in_flight$
-- How many attempts are open now.
select count(*) from attempts where ended_at is null;

-- name: last_sent$
-- When something of an account last left, or may have; a time still to come is a clock's that has gone back since.
select max(started_at) from attempts
where account = :account and (outcome is null or outcome <> 'unsent') and started_at <= :now;

-- name: platform_ids
-- The platform's ids of an account's posts: those are known to whoever looks for another.
select platform_id from posts where account = :account and platform_id is not null
union all select platform_id from parts where account = :account;

-- name: platform_id_known$
-- Whether a platform's id belongs to a part of one of an account's posts already.
select (select count(*) from posts where account = :account and platform_id = :platform_id)
     + (select count(*) from parts where account = :account and platform_id = :platform_id);

-- name: counts_by_state
-- How many posts are in which state.
select state, sum(n) as n from counts group by state having sum(n) > 0;

-- name: counts_by_account
-- How many posts of each account are in which state.
select account, state, n from counts where n > 0;

-- name: holds_by_kind
-- How many holds of posts, and of tags, nobody has lifted.
select case when post is null then 'tag' else 'post' end as kind, count(*) as n from holds where lifted_at is null group by kind;

-- name: held_count$
-- How many queued posts a freeze holds now.
select coalesce(sum(n), 0) from counts
where state in ('queued', 'blocked')
  and account in (select c.account from covers c join freezes f on f.scope = c.scope where f.lifted_at is null);

-- name: next_posts
-- The posts that fall due next.
select * from posts where state = 'queued' order by at, seq limit :limit;

-- name: clear_covers!
-- Forget which scopes cover which account, before the configuration says it anew.
delete from covers;

-- name: insert_cover!
-- A scope covers an account.
insert into covers (account, scope) values (:account, :scope);

-- name: add_cover!
-- A scope covers an account, which may be known already.
insert into covers (account, scope) values (:account, :scope) on conflict (account, scope) do nothing;

-- name: covers
-- Which scopes cover which account.
select account, scope from covers order by account, scope;

-- name: without_account
-- How many posts wait for which account, for whoever looks which of them the configuration does not have.
select account, sum(n) as n from counts where state in ('queued', 'blocked', 'unknown') group by account having sum(n) > 0
order by account;

-- name: scope_epoch$
-- The epoch of a scope; null when it is new.
select epoch from scopes where scope = :scope;

-- name: scope_epochs
-- Every scope with its epoch.
select scope, epoch from scopes order by scope;

-- name: set_epoch!
-- Note the epoch of a scope, which only grows.
insert into scopes (scope, epoch) values (:scope, :epoch)
on conflict (scope) do update set epoch = excluded.epoch where scopes.epoch < excluded.epoch;

-- name: note_lift!
-- Note when a freeze of a scope was last lifted.
update scopes set lifted_at = :now where scope = :scope;

-- name: frozen_until$
-- The last moment at which a freeze covered an account: now, if one does; a lift still to come is a wrong clock's.
select max(case when exists (select 1 from freezes f where f.scope = c.scope and f.lifted_at is null) then :now
                when s.lifted_at <= :now then s.lifted_at else 0 end)
from covers c left join scopes s on s.scope = c.scope
where c.account = :account;

-- name: insert_freeze!
-- Write down a freeze that the fence has already carried out.
insert into freezes (id, scope, reason, by_whom, at, epoch, mark) values (:id, :scope, :reason, :by_whom, :at, :epoch, :mark);

-- name: freezes_in_force
-- Every freeze that nobody has lifted.
select * from freezes where lifted_at is null order by at, id;

-- name: freeze_history
-- Every freeze there ever was, newest first.
select * from freezes order by at desc, id desc limit :limit;

-- name: lift_freeze!
-- Lift one freeze.
update freezes set lifted_at = :now, lifted_by = :by_whom, lifted_reason = :reason where id = :id and lifted_at is null;

-- name: journal_head^
-- The last line of the journal.
select * from journal order by seq desc limit 1;

-- name: last_of_kinds^
-- The last line of either kind.
select * from journal where kind in (:kind, :other) order by seq desc limit 1;

-- name: append_journal!
-- Add one line to the journal.
insert into journal (seq, at, kind, who, data, prev, hash) values (:seq, :at, :kind, :who, :data, :prev, :hash);

-- name: note_lines*!
-- Note which posts a line of the journal tells about.
insert into journal_posts (post, seq) values (:post, :seq)
on conflict (post, seq) do nothing;

-- name: note_entered!
-- Note that a line of the journal tells about every post that was entered after one.
insert into journal_posts (post, seq) select id, :line from posts where seq > :after order by id;

-- name: journal_of_post
-- The last lines of the journal that tell about a post, newest first.
select j.* from journal_posts n join journal j on j.seq = n.seq where n.post = :post order by n.seq desc limit :limit;

-- name: journal_count_of$
-- How many lines of the journal tell about a post.
select count(*) from journal_posts where post = :post;

-- name: journal_after
-- A page of the journal.
select * from journal where seq > :after order by seq limit :limit;

-- name: journal_between
-- A page of the journal, as far as a line.
select * from journal where seq > :after and seq <= :upto order by seq limit :limit;

-- name: applied_migrations
-- The numbers of the migrations that were applied.
select number from migrations order by number;

-- name: note_migration!
-- Note that a migration was applied.
insert into migrations (number, name, applied_at) values (:number, :name, :now);

-- name: clear_transitions!
-- Forget the law's table before this version's is written.
delete from transitions;

-- name: insert_transition!
-- One row of the law's table.
insert into transitions (was, event, is_now) values (:was, :event, :is_now);

-- name: make_prepared!
-- The posts of an import on their way into the store, in a database of their own.
create table prepared (seq integer primary key, id, account, at, zone, wall, text, warning, language, visibility, media, tail,
                       parts, tags, campaign, ref, digest, now, created_by, seal);

-- name: make_prepared_refs!
-- The callers' own ids in an import, each with the line that has it first.
create table refs (account, ref, line, digest, primary key (account, ref));

-- name: make_prepared_tags!
-- The tags of the posts of an import.
create table tags (tag, post, primary key (tag, post)) without rowid;

-- name: prepare_tags*!
-- Tags of one post.
insert into tags (tag, post) values (:tag, :post);

-- name: prepared_tags
-- Every tag of every post of an import.
select tag, post from tags order by tag, post;

-- name: prepare!
-- One post more.
insert into prepared (id, account, at, zone, wall, text, warning, language, visibility, media, tail, parts, tags, campaign, ref,
                      digest, now, created_by, seal)
values (:id, :account, :at, :zone, :wall, :text, :warning, :language, :visibility, :media, :tail, :parts, :tags, :campaign, :ref,
        :digest, :now, :created_by, :seal);

-- name: prepared
-- Every post of an import, in the order of its file.
select * from prepared order by seq;

-- name: prepare_ref!
-- A ref stands in this line.
insert into refs (account, ref, line, digest) values (:account, :ref, :line, :digest);

-- name: make_prepared_variants!
-- What the campaigns of an import have of which account at which moment, each with the line that has it first.
create table variants (campaign, account, at, line, primary key (campaign, account, at)) without rowid;

-- name: prepare_variant!
-- A variant stands in this line.
insert into variants (campaign, account, at, line) values (:campaign, :account, :at, :line);

-- name: prepared_variant$
-- The line of an import in which that variant stands first.
select line from variants where campaign = :campaign and account = :account and at = :at;

-- name: prepared_ref^
-- The line of an import in which a ref stands first.
select line, digest from refs where account = :account and ref = :ref;

-- name: refs_since
-- The refs of the posts that were entered since a moment of the store.
select seq, id, account, ref, digest from posts where seq > :seq and ref is not null order by seq;

-- name: variants_since
-- The variants of campaigns that were entered since a moment of the store.
select id, campaign, account, ref, at from posts where seq > :seq and campaign is not null order by seq;

-- name: twin^
-- What has a caller's own id already.
select id, digest from posts where account = :account and ref = :ref;

-- name: note_media!
-- Remember what a file of the spool is; one that is known already is only seen again.
insert into media (sha256, type, size, width, height, at, by_whom) values (:sha256, :type, :size, :width, :height, :now, :by_whom)
on conflict (sha256) do update set at = :now;

-- name: media_by_hash^
-- What a file of the spool is.
select * from media where sha256 = :sha256;

-- name: media_unseen
-- Files that nobody has handed over for a while.
select sha256 from media where at < :before;

-- name: forget_media!
-- Forget what a file of the spool is, unless somebody handed it over again meanwhile.
delete from media where sha256 = :sha256 and at < :before;

-- name: last_seq$
-- The number of the post that was entered last.
select max(seq) from posts;

-- name: posts_with_media
-- What the posts of a stretch show, whatever their state.
select media, tail from posts where seq > :after and seq <= :upto and (media is not null or tail is not null);

-- name: zones_of_walls
-- Every zone that a waiting post's wall time is of: one step in the index for each.
with recursive found (zone) as (
    select min(zone) from posts where wall is not null and state in ('queued', 'blocked')
    union all
    select (select min(p.zone) from posts p
            where p.wall is not null and p.state in ('queued', 'blocked') and p.zone > found.zone)
    from found where found.zone is not null)
select zone from found where zone is not null;

-- name: zone_fingerprint$
-- By which rules the wall times of a zone were computed last.
select fingerprint from zones where zone = :zone;

-- name: set_zone_fingerprint!
-- Note by which rules they are computed now.
insert into zones (zone, fingerprint) values (:zone, :fingerprint)
on conflict (zone) do update set fingerprint = excluded.fingerprint;

-- name: posts_of_wall
-- Waiting posts whose wall time is of a zone.
select id, at, wall from posts where wall is not null and state in ('queued', 'blocked') and zone = :zone;

-- name: retime_post!
-- The same wall time is another moment now; it is the same decision, so the post has not been entered anew.
update posts set at = :at, changed_at = :now where id = :id and state in ('queued', 'blocked');

-- name: insert_publication!
-- Keep the record of a part that went live.
insert into publications (post, part, at, sha256, record, said) values (:post, :part, :at, :sha256, :record, :said)
on conflict (post, part) do nothing;

-- name: publication^
-- The record of a part that went live.
select * from publications where post = :post and part = :part;

-- name: publications_alike
-- Parts that say and show the same as this one, and are on the platform still as far as we know.
select p.id as post, p.account, b.part,
       coalesce(l.platform_id, p.platform_id) as platform_id, case when l.post is null then p.url else l.url end as url
from publications b join posts p on p.id = b.post left join parts l on l.post = b.post and l.nr = b.part
where b.said = (select said from publications where post = :post and part = :part)
  and p.state not in ('retracted', 'retracting') and not (b.post = :post and b.part = :part)
order by b.at desc limit :limit;

-- name: part_by_platform_id^
-- Which part of which post of an account has this id on the platform.
select id as post, 0 as part, account, platform_id, url from posts where account = :account and platform_id = :platform_id
union all
select post, nr as part, account, platform_id, url from parts where account = :account and platform_id = :platform_id;

-- name: insert_takedown!
-- Write an order down.
insert into takedowns (id, incident, decision, limited_by, capture, severity, reason, by_whom, agreed, ordered, key, at)
values (:id, :incident, :decision, :limited_by, :capture, :severity, :reason, :by_whom, :agreed, :ordered, :key, :at);

-- name: takedown_by_id^
-- One order.
select * from takedowns where id = :id;

-- name: takedown_by_key^
-- The order that a caller's own key names.
select * from takedowns where key = :key;

-- name: takedowns_page
-- Orders, newest first.
select * from takedowns where at < :before order by at desc, id limit :limit;

-- name: takedowns_of_incident
-- The orders of an incident, in their order.
select * from takedowns where incident = :incident order by at, id;

-- name: insert_target!
-- Write down a post that an order is about.
insert into targets (id, takedown, nr, account, platform_id, url, post, part, state, why)
values (:id, :takedown, :nr, :account, :platform_id, :url, :post, :part, :state, :why);

-- name: targets_of
-- What an order is about, in its order.
select * from targets where takedown = :takedown order by nr;

-- name: target_by_id^
-- One target.
select * from targets where id = :id;

-- name: targets_open
-- What is still to be done for an account: what is worse first, then what was ordered first.
select t.* from targets t join takedowns o on o.id = t.takedown
where t.account = :account and t.ended_at is null
order by o.severity desc, o.at, t.nr;

-- name: targets_open_accounts
-- The accounts for which something is to be done, and from when on.
select account, min(coalesce(due_at, 0)) as due from targets where ended_at is null group by account;

-- name: targets_of_platform_post
-- Every target that was the same post on its platform.
select * from targets where account = :account and platform_id = :platform_id order by id;

-- name: takedowns_running
-- Orders that are not over: of how many posts, how many are done, and when the last that waits may be acted on.
select o.id, coalesce(o.limited_by, o.decision) as decision, o.reason, count(*) as posts, sum(case when t.ended_at is null then 0 else 1 end) as done,
    max(case when t.ended_at is null then t.due_at end) as due
from takedowns o join targets t on t.takedown = o.id
where o.id in (select takedown from targets where ended_at is null)
group by o.id, o.limited_by, o.decision, o.reason, o.at order by o.at, o.id limit :limit;

-- name: targets_not_as_ordered
-- Posts of an incident that are not as the last order about each of them wanted.
select t.*, coalesce(o.limited_by, o.decision) as decision, count(*) over () as in_all
from targets t join takedowns o on o.id = t.takedown
where o.incident = :incident and t.state in ('still_visible', 'unknown', 'not_attempted')
    and not exists (select 1 from targets n join takedowns l on l.id = n.takedown
        where n.account = t.account and n.platform_id = t.platform_id and l.at > o.at
            and (l.limited_by = o.limited_by or (l.limited_by is null and n.state <> 'kept')))
order by o.at, t.nr limit :limit;

-- name: targets_by_state
-- Posts of an incident, or that an order is not over for, by what became of the last order about each of them.
select t.state, count(*) as n from targets t join takedowns o on o.id = t.takedown
where (o.incident = :incident or t.ended_at is null)
    and not exists (select 1 from targets n join takedowns l on l.id = n.takedown
        where n.account = t.account and n.platform_id = t.platform_id and l.at > o.at
            and (l.limited_by = o.limited_by or (l.limited_by is null and n.state <> 'kept')))
group by t.state;

-- name: targets_of_our_post
-- Every target that was a part of a post of ours, the last order first.
select t.*, coalesce(o.limited_by, o.decision) as decision, o.at as ordered_at, o.by_whom from targets t join takedowns o on o.id = t.takedown
where t.post = :post order by o.at desc, t.nr limit :limit;

-- name: move_target^
-- One step of a target, if it is still where it was thought to be.
update targets set state = :to_state, why = :why, ended_at = :ended_at, due_at = :due_at
where id = :id and state = :from_state returning *;

-- name: note_evidence!
-- Which bundle is a target's, and how much it holds.
update targets set evidence = coalesce(:evidence, evidence), grade = :grade where id = :id;

-- name: postpone_target!
-- When a target can be acted on at the earliest, and why not now.
update targets set due_at = :due_at, why = :why where id = :id;

-- name: intend_act!
-- A retracting request is about to leave: what undoes it is kept first.
update targets set undo = coalesce(undo, :undo), acts = acts + 1, acted_at = :now where id = :id;

-- name: forget_undo!
-- What was done to a target has been reversed.
update targets set undo = null where id = :id;

-- name: insert_retraction!
-- Count a retracting request against the account's budget.
insert into retractions (id, account, target, at) values (:id, :account, :target, :at);

-- name: retractions_since
-- When the account's retracting requests of late were intended, oldest first.
select at from retractions where account = :account and at > :since order by at;

-- name: strangers_acted_on_since$
-- How many posts of an account that were none of ours when they were named have been acted on since a moment.
select count(*) from targets t join takedowns o on o.id = t.takedown
where t.account = :account and t.post is null and t.acted_at >= :since and o.limited_by is null;

-- name: deletions_proven
-- When each account's last deletion was read back as gone.
select t.account as account, max(t.ended_at) as at from targets t join takedowns o on o.id = t.takedown
where t.state = 'gone' and o.decision = 'delete' and t.acts > 0 and t.ended_at is not null group by t.account;

-- name: want_look!
-- Look again at that time.
insert into looks (target, nr, due_at) values (:target, :nr, :due_at) on conflict (target, nr) do nothing;

-- name: looks_due
-- Looks whose time has come.
select * from looks where done_at is null and due_at <= :now order by due_at limit :limit;

-- name: next_look$
-- When the next look is due.
select min(due_at) from looks where done_at is null;

-- name: looks_of
-- The looks after a takedown.
select * from looks where target = :target order by nr;

-- name: look_done!
-- What a look showed.
update looks set done_at = :now, presence = :presence, why = :why where target = :target and nr = :nr;

-- name: live_targets_of_post$
-- How many parts of a post are on the platform still, as far as takedowns know.
select count(*) from (
    select 0 as part from posts where id = :post and live > 0
    union all
    select nr as part from parts where post = :post) l
where not exists (select 1 from targets t where t.post = :post and t.part = l.part and t.state = 'gone');

-- name: insert_bundle!
-- A bundle that has been begun.
insert into bundles (name, incident, target, account, platform, platform_id, url, post, grade, created_at, purge_at)
values (:name, :incident, :target, :account, :platform, :platform_id, :url, :post, :grade, :now, :purge_at);

-- name: bundle_by_name^
-- One bundle.
select * from bundles where name = :name;

-- name: seal_bundle!
-- A seal was set, and the bundle is as good as this now; an older seal that is told late changes nothing.
update bundles set seals = :seal, sha256 = :sha256, grade = coalesce(:grade, grade) where name = :name and seals < :seal;

-- name: bundles_before
-- A page of the bundles, the latest first, from a place on; of one account, incident or post, or on hold, if asked.
select * from bundles
where (created_at < :at or (created_at = :at and name < :after))
  and (:account is null or account = :account) and (:incident is null or incident = :incident)
  and (:post is null or post = :post) and (:held = 0 or held is not null)
order by created_at desc, name desc limit :limit;

-- name: hold_bundle!
-- A legal hold keeps it, or (with null) none does any more.
update bundles set held = :held where name = :name;

-- name: bundle_erased!
-- What other people wrote was erased from it.
update bundles set erased_at = :now where name = :name and erased_at is null;

-- name: bundles_to_erase
-- Bundles whose time with other people's words is over and that no hold keeps, from a place on.
select name, created_at from bundles
where created_at <= :before and erased_at is null and held is null
  and (created_at > :at or (created_at = :at and name > :after))
order by created_at, name limit :limit;

-- name: bundles_to_purge
-- Bundles whose time is over, and that no hold keeps.
select name from bundles where purge_at <= :now and held is null order by purge_at, name limit :limit;

-- name: forget_bundle!
-- The bundle is gone from the disk; what it was stands in the journal.
delete from bundles where name = :name;

-- name: want_stamp!
-- This seal is to be stamped by this authority.
insert into stamps (bundle, seal, authority, due_at) values (:bundle, :seal, :authority, :now) on conflict do nothing;

-- name: stamps_due
-- Stamps that are to be asked for now, the one that waits longest first.
select * from stamps where done_at is null and due_at <= :now order by due_at, bundle, seal, authority limit :limit;

-- name: next_stamp$
-- When the next stamp is to be asked for.
select min(due_at) from stamps where done_at is null;

-- name: stamps_of
-- Every stamp of a bundle that is wanted or was given.
select * from stamps where bundle = :bundle order by seal, authority;

-- name: stamp_done!
-- The authority has stamped it.
update stamps set done_at = :now, why = null where bundle = :bundle and seal = :seal and authority = :authority;

-- name: stamp_failed!
-- It has not, for this reason; it is asked again then.
update stamps set due_at = :due_at, tries = tries + 1, why = :why
where bundle = :bundle and seal = :seal and authority = :authority and done_at is null;

-- name: forget_stamp!
-- Nobody wants this stamp any more.
delete from stamps where bundle = :bundle and seal = :seal and authority = :authority and done_at is null;

-- name: forget_stamps!
-- The bundle is gone, and so are its stamps.
delete from stamps where bundle = :bundle;

-- name: insert_incident!
-- Open an incident; the database refuses a second open one.
insert into incidents (id, reason, by_whom, opened_at, opened_seq) values (:id, :reason, :by_whom, :at, :seq);

-- name: open_incident^
-- The incident that nobody has closed.
select * from incidents where closed_at is null;

-- name: latest_incident^
-- The incident that was opened last.
select * from incidents order by opened_seq desc limit 1;

-- name: incident_by_id^
-- One incident.
select * from incidents where id = :id;

-- name: incidents_before
-- A page of incidents, newest first.
select * from incidents where :before is null or opened_seq < :before order by opened_seq desc limit :limit;

-- name: close_incident!
-- Close an incident with the line of the journal that is its last.
update incidents set closed_at = :now, closed_by = :by_whom, closed_seq = :seq where id = :id and closed_at is null;

-- name: landed_under_freeze
-- What went live after a freeze of it had been ordered: it was on the wire then. A send takes less than five minutes.
-- From the freezes to the attempts (`cross join` binds SQLite to it): the other way round reads all that was ever sent.
select distinct a.post, a.account, a.part, a.ended_at as at,
       coalesce(t.platform_id, p.platform_id) as platform_id, coalesce(t.url, p.url) as url
from freezes f cross join covers c cross join attempts a
     join posts p on p.id = a.post left join parts t on t.post = a.post and t.nr = a.part
where (f.lifted_at is null or f.lifted_at >= :since) and c.scope = f.scope and a.account = c.account
  and a.started_at > f.at - 300000 and a.started_at < coalesce(f.lifted_at, 9223372036854775807)
  and a.ended_at >= f.at and a.outcome = 'landed'
order by a.ended_at, a.post, a.part;

-- name: lines_of_kind
-- The lines of one kind that tell about a post.
select j.* from journal_posts n join journal j on j.seq = n.seq where n.post = :post and j.kind = :kind order by n.seq;

-- name: insert_native!
-- Note a post that the platform itself would publish; one that the incident knows already stays as it is.
insert into natives (id, incident, account, platform_id, due_at, text, raw, files, state, wanted)
values (:id, :incident, :account, :platform_id, :due_at, :text, :raw, :files, 'listed', :wanted)
on conflict (incident, account, platform_id) do nothing;

-- name: native_by_id^
-- One of them.
select * from natives where id = :id;

-- name: native_of^
-- One of them, by what the platform calls it.
select * from natives where incident = :incident and account = :account and platform_id = :platform_id;

-- name: natives_of_incident
-- Those that an incident found, in the order in which they are due.
select * from natives where incident = :incident order by due_at, id limit :limit;

-- name: natives_wanted
-- Those of an account that something is still to be done with, the most urgent first.
select * from natives where account = :account and state = 'listed' and wanted <> 'list' order by due_at, id;

-- name: accounts_with_natives_wanted
-- The accounts that have such posts.
select distinct account from natives where state = 'listed' and wanted <> 'list';

-- name: want_native!
-- What somebody ordered to be done with it, unless it is done.
update natives set wanted = :wanted where id = :id and state in ('listed', 'unknown');

-- name: relist_native!
-- An order came for one whose fate is not known: it is looked at again.
update natives set state = 'listed' where id = :id and state = 'unknown' and wanted <> 'list';

-- name: native_acting!
-- A request about it is about to leave.
update natives set acted_at = :now where id = :id;

-- name: native_ended!
-- What became of it.
update natives set state = :state, why = :why where id = :id;

-- name: native_files!
-- Its files, with what was saved of them.
update natives set files = :files where id = :id;

-- name: insert_sweep!
-- Look at an account's timeline at that time.
insert into sweeps (id, incident, account, since, due_at) values (:id, :incident, :account, :since, :due_at);

-- name: sweeps_due
-- The looks at timelines whose time has come, oldest first.
select * from sweeps where done_at is null and due_at <= :now order by due_at, id;

-- name: next_sweep$
-- When the next one is due.
select min(due_at) from sweeps where done_at is null;

-- name: sweeps_of
-- How often an account was, or will be, looked at for the freeze that began then.
select count(*) as n from sweeps where account = :account and since = :since;

-- name: sweep_done!
-- It was made; why not, if it could not be.
update sweeps set done_at = :now, why = :why where id = :id;

-- name: native_left!
-- Nothing is done with it any more, and why.
update natives set wanted = 'list', why = :why where id = :id;

-- name: native_waits!
-- Why nothing could be done with it yet.
update natives set why = :why where id = :id;

-- name: posts_in_doubt$
-- How many posts of an account are being sent, or may have been.
select count(*) from posts where account = :account and state in ('sending', 'unknown');

-- name: targets_unfinished
-- Targets that have come to an end, whose bundle has not been sealed since.
select t.* from targets t join bundles b on b.name = t.evidence
where t.ended_at is not null and b.seals = 1;

-- name: evidence_held$
-- How many bundles of a post a legal hold keeps.
select count(*) from bundles where account = :account and platform_id = :platform_id and held is not null;
