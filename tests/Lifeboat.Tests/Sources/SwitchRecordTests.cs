using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Chroma;
using Lifeboat.Engine.Sources.Files;
using Lifeboat.Engine.Sources.Files.Parts;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Settings;
using Lifeboat.Engine.Sources.Sqlite;
using Lifeboat.Tests.Shared;
using Crm = Lifeboat.Engine.Sources.MySql;
using Main = Lifeboat.Engine.Sources.Postgres;

namespace Lifeboat.Tests.Sources;

/// <summary>What a journal says is taken only where it names what a restore of that source would have named.</summary>
public sealed class SwitchRecordTests
{
    private const string Id = "abcdefghij";

    private static readonly PathExchange s_own = new("/srv/shop/data", "data__staging_" + Id, "data__before_" + Id, true, false, ["/srv/shop"], null);

    private static ISource[] Sources
    {
        get
        {
            TestHost host = new(Path.GetTempPath());
            return
            [
                new SqliteSource(new SqliteSettings("one", "/srv/shop/data"), host.Context),
                new ChromaSource(new ChromaSettings("one", "/srv/shop/data"), host.Context),
                new FilesSource(new FilesSettings("one", "/srv/shop/data", []), host.Context),
                new SettingsSource(new SettingsSettings("one", "/srv/conf", ["/srv/shop/data"], []), host.Context),
            ];
        }
    }

    [Fact]
    public void The_names_of_a_restore_an_undo_and_a_restore_inside_a_mount_point_are_taken()
    {
        foreach (ISource source in Sources)
        {
            Resume(source, s_own);
            Resume(source, s_own with { Incoming = "data__before_jihgfedcba", CreatedFolders = [] }); // an undo
            Resume(source, s_own with { Incoming = null, Replaces = false });
            Resume(source, s_own with { Incoming = ".lifeboat_staging_" + Id, Outgoing = ".lifeboat_before_" + Id, Inside = true });
        }

        Resume(Sources[3], s_own with { Path = "/srv/conf/app/data", CreatedFolders = ["/srv/conf/app"] });
    }

    [Fact]
    public void No_other_path_or_name_is_taken_whatever_the_source()
    {
        PathExchange[] foreign =
        [
            s_own with { Path = "/etc/passwd" },
            s_own with { Path = "/srv/shop/data/below" },
            s_own with { Path = "/srv/shop/x/../data" },
            s_own with { Path = "/srv/conf/../shop/data" },
            s_own with { Path = "srv/shop/data" },
            s_own with { Path = "/" },
            s_own with { Outgoing = "important" },
            s_own with { Outgoing = "../data__before_" + Id },
            s_own with { Outgoing = "data__before_" },
            s_own with { Outgoing = "data__before_a/b" },
            s_own with { Outgoing = "data__before_.." },
            s_own with { Outgoing = "x/data__before_" + Id },
            s_own with { Outgoing = "" },
            s_own with { Outgoing = "data__staging_" + Id },
            s_own with { Outgoing = ".lifeboat_before_" + Id },
            s_own with { Incoming = "shadow" },
            s_own with { Incoming = "" },
            s_own with { Incoming = "data" },
            s_own with { Incoming = "data__staging_another" },
            s_own with { Incoming = "../../etc/data__before_" + Id },
            s_own with { Inside = true },
            s_own with { CreatedFolders = ["/srv/other"] },
            s_own with { CreatedFolders = ["/srv/shop/data"] },
            s_own with { CreatedFolders = ["/srv/sho"] },
            s_own with { CreatedFolders = ["/srv/other/../shop"] },
        ];
        foreach (ISource source in Sources)
        {
            foreach (PathExchange one in foreign)
                RequireRefused(() => Resume(source, one));
            RequireRefused(() => source.Resume(new PathSwitchRecord([s_own], [""]).ToJson(), new RestoreRun(Id)));
            RequireRefused(() => source.Resume(new PathSwitchRecord([s_own], ["-wal", "-shm", "-journal", "/../x"]).ToJson(), new RestoreRun(Id)));
            if (source is not SettingsSource) // of a merge that found all files there
                RequireRefused(() => source.Resume(new PathSwitchRecord([], Suffixes(source)).ToJson(), new RestoreRun(Id)));
            RequireRefused(() => source.Resume(new PathSwitchRecord([s_own, foreign[0]], Suffixes(source)).ToJson(), new RestoreRun(Id)));
        }
    }

    [Theory]
    [InlineData("./a/b", true)]
    [InlineData("./..a", true)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("./..", false)]
    [InlineData("./a/../../b", false)]
    [InlineData("./a//b", false)]
    [InlineData("./", false)]
    [InlineData("/etc", false)]
    [InlineData("a", false)]
    [InlineData("./a\0b", false)]
    public void The_parts_of_a_tree_stay_inside_of_it(string path, bool isTaken)
    {
        PartSwitchRecord record = new(
            "/srv/shop/data", false, "data__staging_" + Id, "data__before_" + Id, [new PartPath([.. path.Select(static c => (byte)c)], true, true)],
            [new PartFolder("."u8.ToArray(), "0.000000000")], null);
        void Take(PartSwitchRecord one) => Sources[2].Resume(one.ToJson(), new RestoreRun(Id));
        if (isTaken)
            Take(record);
        else
            RequireRefused(() => Take(record));
        RequireRefused(() => Take(record with { Root = "/etc" }));
        RequireRefused(() => Take(record with { Outgoing = "important" }));
        RequireRefused(() => Take(record with { Folders = [new PartFolder("./.."u8.ToArray(), "0.000000000")] }));
    }

    [Fact]
    public void A_record_of_a_PostgreSQL_database_holds_its_own_names_numbers_and_statements_about_roles()
    {
        Main.Restore.DatabaseSwitchRecord own = new("shop", "shop__staging_" + Id, "shop__before_" + Id, "postgres")
        {
            IncomingOid = "16384",
            IncomingMade = new Main.Roles.MadeAround([new Main.Roles.MadeRole("a", "1")], [new Main.Roles.Membership("a", "b", false, null, null, null)], ["space"]),
            Changes = new Main.Roles.RoleChanges(
                "m", "captured", ["ALTER ROLE \"a;b\" WITH NOSUPERUSER", "ALTER ROLE a RESET ALL", "COMMENT ON ROLE a IS NULL", "ALTER ROLE a SET search_path TO 'x;y'"], [], []),
        };
        void Take(Main.Restore.DatabaseSwitchRecord one) =>
            Main.Restore.StagingNames.Require(Main.Restore.DatabaseSwitchRecord.From(one.ToJson(), "main"), "shop", "main");
        Take(own);
        Take(own with { Incoming = "shop__before_jihgfedcba" });
        Main.Restore.DatabaseSwitchRecord[] foreign =
        [
            own with { Live = "other" },
            own with { Outgoing = "other" },
            own with { Outgoing = "other__before_" + Id },
            own with { Incoming = "postgres" },
            own with { IncomingOid = "1; DROP DATABASE shop" },
            own with { LiveOid = "" },
            own with { BuiltAs = "shop" },
            own with { IncomingMade = own.IncomingMade with { Roles = [new Main.Roles.MadeRole("a", "1::oid), (pg_sleep(1)")] } },
            own with { OutgoingMade = own.IncomingMade with { Given = [new Main.Roles.ParameterGrant("work_mem", "SET ON PARAMETER x TO y; SELECT 1 --", "a", false, null)] } },
            .. new[]
            {
                "DROP ROLE a", "ALTER ROLE a RESET ALL; DROP DATABASE shop", "DO $$BEGIN END$$", "COPY t TO PROGRAM 'id'", "SELECT 1", "\\! id", "CREATE ROLE x \\! id", "'", "",
            }.Select(sql => own with { Changes = own.Changes! with { ToBefore = [sql] } }),
        ];
        foreach (Main.Restore.DatabaseSwitchRecord one in foreign)
            RequireRefused(() => Take(one));
    }

    [Fact]
    public void A_record_of_a_MySQL_database_holds_its_own_names_and_what_the_server_prints()
    {
        Crm.Catalogue.Definition view = new("view", "v", ["SET character_set_client = utf8mb4, collation_connection = utf8mb4_general_ci, sql_mode = ''", "CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW `v` AS select ';'"]);
        Crm.Restore.DatabaseSwitchRecord own = new("shop", "shop__staging_" + Id, "shop__before_" + Id)
        {
            IncomingObjects = [view],
            IncomingOptions = "/*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci COMMENT 'it''s; \\' x' */ /*!80016 DEFAULT ENCRYPTION='N' */",
            IncomingAccounts = ["DROP USER IF EXISTS `a;b`@`%`", "DROP ROLE IF EXISTS `r`"],
            Grants = ["GRANT SELECT ON `shop`.`t;` TO `a`@`%` WITH GRANT OPTION"],
            Began = "2026-12-01 00:00:00",
        };
        void Take(Crm.Restore.DatabaseSwitchRecord one) =>
            Crm.Restore.RestoreNames.Require(Crm.Restore.DatabaseSwitchRecord.From(one.ToJson(), "crm"), "shop", "crm");
        Take(own);
        Crm.Restore.DatabaseSwitchRecord[] foreign =
        [
            own with { Live = "mysql" },
            own with { Outgoing = "mysql" },
            own with { Incoming = "mysql" },
            own with { IncomingOptions = "COLLATE x; DROP DATABASE shop" },
            own with { IncomingAccounts = ["DROP USER IF EXISTS `a`@`%`; DROP DATABASE shop"] },
            own with { OutgoingAccounts = ["DROP DATABASE shop"] },
            own with { Grants = ["DROP DATABASE shop"] },
            own with { RoutineGrants = ["GRANT ALL ON *.* TO `a`@`%`; DROP DATABASE shop"] },
            own with { IncomingObjects = [view with { Statements = ["DROP DATABASE shop"] }] },
            own with { IncomingObjects = [view with { Statements = [.. view.Statements, "DROP DATABASE shop"] }] },
            own with { IncomingObjects = [view with { Kind = "event" }] },
            own with { IncomingObjects = [view with { Statements = ["SET GLOBAL general_log = 1", view.Statements[1]] }] },
            own with { LiveState = new Crm.Restore.LiveState(true, [], [], [view with { Kind = "user" }], "") },
        ];
        foreach (Crm.Restore.DatabaseSwitchRecord one in foreign)
            RequireRefused(() => Take(one));
    }

    private static IReadOnlyList<string> Suffixes(ISource source) => source is SqliteSource ? ["-wal", "-shm", "-journal"] : [];

    private static void Resume(ISource source, PathExchange path) =>
        source.Resume(new PathSwitchRecord([path], Suffixes(source)).ToJson(), new RestoreRun(Id));

    private static void RequireRefused(Action take)
    {
        LifeboatException e = Assert.Throws<LifeboatException>(take);
        Assert.Equal(ErrorCodes.JournalDamaged, e.Code);
        Assert.Contains("none of this source's names", e.Message, StringComparison.Ordinal);
    }
}
