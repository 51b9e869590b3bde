-- What only SQLite words this way: triggers. Made anew at every start, so they always fit the law of this version.

drop trigger if exists posts_move_by_the_law;
create trigger posts_move_by_the_law before update of state on posts
when new.state <> old.state
 and not exists (select 1 from transitions where was = old.state and is_now = new.state)
begin
    select raise(abort, 'illegal move of a post');
end;

drop trigger if exists posts_counted_in;
create trigger posts_counted_in after insert on posts
begin
    insert into counts (account, state, n) values (new.account, new.state, 1)
    on conflict (account, state) do update set n = n + 1;
end;

drop trigger if exists posts_counted_on;
create trigger posts_counted_on after update of state on posts when new.state <> old.state
begin
    update counts set n = n - 1 where account = old.account and state = old.state;
    insert into counts (account, state, n) values (new.account, new.state, 1)
    on conflict (account, state) do update set n = n + 1;
end;

drop trigger if exists posts_never_deleted;
create trigger posts_never_deleted before delete on posts begin select raise(abort, 'posts are never deleted'); end;

-- `insert or replace` and `update or replace` delete without asking the triggers for deletions: refused before they do.
drop trigger if exists posts_never_replaced;
create trigger posts_never_replaced before insert on posts
when exists (select 1 from posts where id = new.id or seq = new.seq or (account = new.account and ref = new.ref))
begin
    select raise(abort, 'posts are never replaced');
end;

drop trigger if exists posts_keep_their_names;
create trigger posts_keep_their_names before update of id, seq, account, ref on posts
when new.id <> old.id or new.seq <> old.seq or new.account <> old.account or new.ref is not old.ref
begin
    select raise(abort, 'posts are never renamed');
end;

drop trigger if exists parts_never_changed;
create trigger parts_never_changed before update on parts begin select raise(abort, 'live parts are never changed'); end;

drop trigger if exists parts_never_deleted;
create trigger parts_never_deleted before delete on parts begin select raise(abort, 'live parts are never forgotten'); end;

drop trigger if exists journal_only_grows;
create trigger journal_only_grows before insert on journal
when new.seq <> (select coalesce(max(seq), 0) + 1 from journal)
begin
    select raise(abort, 'the journal is append-only');
end;

drop trigger if exists journal_never_changed;
create trigger journal_never_changed before update on journal begin select raise(abort, 'the journal is append-only'); end;

drop trigger if exists journal_never_deleted;
create trigger journal_never_deleted before delete on journal begin select raise(abort, 'the journal is append-only'); end;
