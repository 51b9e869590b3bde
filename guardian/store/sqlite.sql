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

drop trigger if exists journal_never_changed;
create trigger journal_never_changed before update on journal begin select raise(abort, 'the journal is append-only'); end;

drop trigger if exists journal_never_deleted;
create trigger journal_never_deleted before delete on journal begin select raise(abort, 'the journal is append-only'); end;
