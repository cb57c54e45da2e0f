
using Lifeboat.Engine.Sources.Postgres.Roles;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class GlobalsTests
{
    private const string Text = """"
        -- PostgreSQL database cluster dump
        \restrict abc
        SET default_transaction_read_only = off;
        SET client_encoding = 'UTF8';
        CREATE ROLE admin;
        ALTER ROLE admin WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 7 PASSWORD 'SCRAM-SHA-256$x''y' VALID UNTIL '2030-01-01 00:00:00+00';
        CREATE ROLE "we;ird
        ""one""";
        ALTER ROLE "we;ird
        ""one""" WITH SUPERUSER NOINHERIT CONNECTION LIMIT -1;
        COMMENT ON ROLE admin IS E'it''s; \\ a comment';
        ALTER ROLE admin SET search_path TO 'a', 'b c';
        ALTER ROLE admin IN DATABASE shop SET work_mem TO '4MB';
        GRANT admin TO "we;ird
        ""one""" GRANTED BY postgres;
        GRANT granted TO b WITH ADMIN OPTION, INHERIT FALSE, SET TRUE GRANTED BY admin;
        GRANT SET ON PARAMETER log_statement TO admin;
        CREATE TABLESPACE location OWNER admin LOCATION '/srv/a b';
        ALTER TABLESPACE location SET (random_page_cost=2);
        SET SESSION AUTHORIZATION admin;
        GRANT ALL ON TABLESPACE location TO b;
        RESET SESSION AUTHORIZATION;
        COMMENT ON TABLESPACE location IS 'x';
        FROBNICATE ROLE admin;
        \unrestrict abc
        """";

    private readonly Globals _globals = Globals.Parse(Text, hasPasswords: true);

    [Fact]
    public void A_role_has_its_attributes_settings_and_remarks()
    {
        GlobalRole admin = _globals.Roles["admin"];

        Assert.True(admin.Attributes.Flags["login"]);
        Assert.False(admin.Attributes.Flags["superuser"]);
        Assert.Equal(7, admin.Attributes.ConnectionLimit);
        Assert.Equal("SCRAM-SHA-256$x'y", admin.Attributes.PasswordHash!.Reveal());
        Assert.Equal("2030-01-01 00:00:00+00", admin.Attributes.ValidUntil);
        Assert.Equal(["IN DATABASE shop SET work_mem TO '4MB'", "SET search_path TO 'a', 'b c'"], admin.Settings);
        Assert.Equal(5, admin.Statements.Count);
        Assert.True(_globals.Roles["we;ird\n\"one\""].Attributes.NeedsSuperuser);
        Assert.Equal(-1, _globals.Roles["we;ird\n\"one\""].Attributes.ConnectionLimit);
    }

    [Fact]
    public void Memberships_are_read_even_where_roles_are_named_like_key_words()
    {
        Assert.Equal(new Membership("admin", "we;ird\n\"one\"", false, null, null, "postgres"), _globals.Grants[0]);
        Assert.Equal(new Membership("granted", "b", true, false, true, "admin"), _globals.Grants[1]);
        Assert.Equal("GRANT \"granted\" TO \"b\" WITH ADMIN OPTION, INHERIT FALSE, SET TRUE GRANTED BY \"admin\"", _globals.Grants[1].Sql());
    }

    [Fact]
    public void Tablespaces_have_their_directory_and_who_granted_what()
    {
        GlobalTablespace space = Assert.Single(_globals.Tablespaces).Value;

        Assert.Equal(("location", "/srv/a b"), (space.Name, space.Location));
        Assert.Equal([null, null, "admin", null], space.Statements.Select(s => s.RunAs));
    }

    [Fact]
    public void What_is_not_known_is_kept_apart() => Assert.Equal("FROBNICATE ROLE admin", Assert.Single(_globals.Unknown).Sql);

    [Fact]
    public void Differences_name_what_differs_and_give_no_secret_away()
    {
        GlobalRole other = Globals.Parse(
            Text.Replace(" LOGIN ", " NOLOGIN ", StringComparison.Ordinal).Replace("$x''y", "$z", StringComparison.Ordinal)
                .Replace("LIMIT 7", "LIMIT 8", StringComparison.Ordinal).Replace("00:00:00+00", "01:00:00+01", StringComparison.Ordinal),
            hasPasswords: true).Roles["admin"];

        string[] differences = [.. _globals.Roles["admin"].DifferencesTo(other, comparePasswords: true)];

        Assert.Equal(["nologin there, login in the snapshot", "connection limit 8 there, 7 in the snapshot", "another password"], differences);
        Assert.DoesNotContain("SCRAM", string.Concat(_globals.Roles["admin"].ToString(), _globals.Roles["admin"].Attributes.ToString(), string.Concat(_globals.Roles["admin"].Statements)));
    }

    [Fact]
    public async Task A_role_that_is_named_many_times_is_read_once()
    {
        string text = string.Concat(Enumerable.Repeat("CREATE ROLE a;\nCREATE TABLESPACE t LOCATION '/x';\n", 20_000));
        Task<Globals> read = Task.Run(() => Globals.Parse(text, hasPasswords: true), TestContext.Current.CancellationToken);
        Globals globals = await read.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(["a"], globals.Roles.Keys);
        Assert.Equal(["t"], globals.Tablespaces.Keys);
    }
}
