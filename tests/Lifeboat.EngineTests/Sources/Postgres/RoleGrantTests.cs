using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Memberships and rights on parameters of roles that exist: a server of 15 keeps one grantor of each, one of 17 (in a chroot) all.</summary>
public sealed class RoleGrantTests : IDisposable
{
    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, int> Servers => new() { { "", 15 }, { "trixie", 17 } };

    public void Dispose() => _bench.Dispose();

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task What_roles_were_given_becomes_as_captured_and_a_revert_gives_back_what_was_there(string suite, int major)
    {
        await using PostgresServer source = Server(suite, major), target = Server(suite, major);
        await source.InitializeAsync();
        await target.InitializeAsync();
        source.Sql("postgres", CapturedSql + (major >= 16 ? "GRANT pool TO app WITH INHERIT FALSE; GRANT pool TO lead" : ""));
        source.CreateDatabase("shop");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(source, "shop");
        target.Sql("postgres", ThereSql + (major >= 16 ? "GRANT pool TO app WITH INHERIT TRUE, SET FALSE; GRANT pool TO lead WITH SET FALSE; GRANT staff TO lead WITH ADMIN OPTION; GRANT staff TO app WITH INHERIT FALSE GRANTED BY lead" : ""));
        string[] before = Grants(target);
        PostgresSettings settings = target.Settings("shop") with { UpdateRoles = true };
        await using IRestoration restoration = new PostgresSource(settings, target.Bin, _bench.Host.Context, new NoSecrets())
            .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Equal([], plan.Warnings.Select(static w => w.Message));
        Assert.Contains("make role app a member of wanted", plan.Steps);
        Assert.Contains("no longer have role app allowed to ALTER SYSTEM parameter log_min_messages", plan.Steps);
        Assert.Equal(major >= 16, plan.Steps.Contains("keep role stranger a member of staff, though from another grantor"));
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        Assert.Equal(before, Grants(target).Where(static line => !line.Contains("newcomer", StringComparison.Ordinal)));

        await restoration.CommitAsync(Cancellation);

        Assert.Equal(Grants(source), Grants(target).Where(static line => !line.Contains("stranger", StringComparison.Ordinal)));
        string[] strangers = [.. Grants(target).Where(static line => line.Contains("stranger", StringComparison.Ordinal))];
        Assert.Equal(4, strangers.Length);
        Assert.Contains(strangers, line => line.StartsWith($"staff|stranger|{(major >= 16 ? "postgres" : "app")}|", StringComparison.Ordinal));
        string[] committed = Grants(target);
        await restoration.Switch.ForwardAsync(Cancellation);
        Assert.Equal(committed, Grants(target));

        target.Sql("postgres", "CREATE ROLE latecomer; GRANT staff TO latecomer; SET ROLE app; GRANT auditors TO latecomer");
        await restoration.RevertAsync(Cancellation);
        await restoration.RevertAsync(Cancellation);
        await restoration.DiscardAsync(Cancellation);

        Assert.Equal(before, Grants(target).Where(static line => !line.Contains("latecomer", StringComparison.Ordinal)));
        Assert.Equal(2, Grants(target).Count(static line => line.Contains("latecomer", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Without_being_asked_it_stays_and_each_difference_is_told_as_it_is(string suite, int major)
    {
        await using PostgresServer source = Server(suite, major), target = Server(suite, major);
        await source.InitializeAsync();
        await target.InitializeAsync();
        source.Sql("postgres", CapturedSql + (major >= 16 ? "GRANT pool TO app WITH INHERIT FALSE; GRANT pool TO lead" : ""));
        source.CreateDatabase("shop");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(source, "shop");
        target.Sql("postgres", ThereSql + (major >= 16 ? "GRANT pool TO app WITH INHERIT TRUE, SET FALSE; GRANT pool TO lead WITH SET FALSE" : ""));
        string[] before = Grants(target);

        RestorePlan plan = await _bench.RestoreAsync(snapshot, target, "shop");

        Assert.All(plan.Warnings, static w => Assert.Equal(ErrorCodes.PostgresRoleDiffers, w.Code));
        string plain = major >= 16 ? " WITH INHERIT TRUE, SET TRUE" : "", admin = major >= 16 ? " WITH ADMIN OPTION, INHERIT TRUE, SET TRUE" : " WITH ADMIN OPTION";
        string[] expected =
        [
            "role public is not allowed to SET parameter track_functions, which it was in the snapshot; this stays as it is",
            "role app is a member of unwanted, which it was not in the snapshot; this stays as it is",
            $"role app is a member of auditors, given by postgres{plain} there, by postgres{admin} in the snapshot; this stays as it is",
            $"role app is a member of crew, given by postgres{plain} there, by lead{plain} in the snapshot; this stays as it is",
            $"role app is a member of staff, given by postgres{admin} there, by postgres{plain} in the snapshot; this stays as it is",
            "role app is allowed to ALTER SYSTEM parameter log_min_messages, which it was not in the snapshot; this stays as it is",
            "role app is allowed to SET parameter log_min_messages, given by a superuser there, by lead in the snapshot; this stays as it is",
            "role app is not a member of wanted, which it was in the snapshot; this stays as it is",
        ];
        if (major >= 16)
            expected = [.. expected, "role lead is a member of pool, given by postgres WITH INHERIT TRUE, SET FALSE there, by postgres WITH INHERIT TRUE, SET TRUE in the snapshot; this stays as it is",
                "role app is a member of pool, given by postgres WITH INHERIT TRUE, SET FALSE there, by postgres WITH INHERIT FALSE, SET TRUE in the snapshot; this stays as it is"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), plan.Warnings.Select(static w => w.Message).Order(StringComparer.Ordinal));
        Assert.Equal(before, Grants(target).Where(static line => !line.Contains("newcomer", StringComparison.Ordinal)));
    }

    private static PostgresServer Server(string suite, int major) => suite.Length == 0 ? new PostgresServer() : PostgresServer.InChroot(suite, major);

    /// <summary>All that roles were given of each other and of parameters, as the catalogue has it.</summary>
    private static string[] Grants(PostgresServer server) => server.Sql(
        "postgres",
        """
        SELECT roleid::regrole, member::regrole, grantor::regrole, to_jsonb(m) - '{oid,roleid,member,grantor}'::text[] FROM pg_auth_members m WHERE roleid >= 16384 ORDER BY 1, 2, 3;
        SELECT parname, privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, grantor::regrole, is_grantable
        FROM pg_parameter_acl, aclexplode(paracl) WHERE grantee <> 10 ORDER BY 1, 2, 3, 4
        """).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private const string RolesSql =
        "CREATE ROLE staff; CREATE ROLE auditors; CREATE ROLE crew; CREATE ROLE pool; CREATE ROLE wanted; CREATE ROLE unwanted; CREATE ROLE lead; CREATE ROLE app; ";

    private const string CapturedSql = RolesSql +
        """
        CREATE ROLE newcomer; GRANT staff TO app; GRANT auditors TO app WITH ADMIN OPTION; GRANT crew TO lead WITH ADMIN OPTION; GRANT wanted TO app;
        SET ROLE lead; GRANT crew TO app; SET ROLE app; GRANT auditors TO newcomer; RESET ROLE;
        GRANT SET ON PARAMETER log_min_messages TO lead WITH GRANT OPTION; SET ROLE lead; GRANT SET ON PARAMETER log_min_messages TO app; RESET ROLE;
        GRANT SET ON PARAMETER track_functions TO PUBLIC; GRANT SET, ALTER SYSTEM ON PARAMETER my.own TO newcomer WITH GRANT OPTION; GRANT ALL ON PARAMETER work_mem TO app;

        """;

    private const string ThereSql = RolesSql +
        """
        CREATE ROLE stranger; GRANT staff TO app WITH ADMIN OPTION; GRANT auditors TO app; GRANT crew TO lead WITH ADMIN OPTION; GRANT crew TO app; GRANT unwanted TO app;
        SET ROLE app; GRANT staff TO stranger; RESET ROLE; GRANT auditors TO stranger;
        GRANT SET ON PARAMETER log_min_messages TO lead WITH GRANT OPTION; GRANT SET, ALTER SYSTEM ON PARAMETER log_min_messages TO app;
        GRANT SET ON PARAMETER log_min_messages TO stranger; GRANT ALL ON PARAMETER work_mem TO app; GRANT SET ON PARAMETER work_mem TO stranger;

        """;
}
