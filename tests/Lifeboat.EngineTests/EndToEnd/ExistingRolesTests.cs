using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Roles that the target server has already, by the program itself.</summary>
public sealed class ExistingRolesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_role_that_exists_stays_as_it_is_is_changed_where_that_is_asked_for_and_is_changed_back()
    {
        await using PostgresServer source = await PostgresServer.StartAsync(), target = await PostgresServer.StartAsync();
        source.Sql("postgres", "CREATE ROLE staff; CREATE ROLE app LOGIN PASSWORD 'captured' CONNECTION LIMIT 5; GRANT staff TO app WITH ADMIN OPTION; GRANT SET ON PARAMETER log_statement TO app");
        source.CreateDatabase("shop", "OWNER app");
        source.Sql("shop", "CREATE TABLE item (id int); INSERT INTO item VALUES (1)", "app");
        target.Sql("postgres", "CREATE ROLE staff; CREATE ROLE app LOGIN PASSWORD 'there' CONNECTION LIMIT 7; GRANT staff TO app");
        string[] before = RestoreBench.Roles(target);
        string[] restore = Backup(source, target);

        ProgramRun plan = Run(3, [.. restore, "--dry-run"]);

        string said = Flat(plan.All);
        Assert.Contains("role app exists and stays as it is, though it differs: connection limit 7 there, 5 in the snapshot; another password", said, StringComparison.Ordinal);
        Assert.Contains("role app is a member of staff, given by postgres there, by postgres WITH ADMIN OPTION in the snapshot; this stays as it is", said, StringComparison.Ordinal);
        Assert.Contains("role app is not allowed to SET parameter log_statement, which it was in the snapshot; this stays as it is", said, StringComparison.Ordinal);
        Assert.Equal(3, said.Split("LB3105").Length - 1);
        Assert.Equal(["postgres"], RestoreBench.Databases(target));

        Run(3, [.. restore, "--yes"]);
        Assert.Equal(before, RestoreBench.Roles(target));
        Run(0, "undo", "--yes");
        Run(0, "discard", "--yes");

        Assert.Contains("change role app: connection limit 7 there", Flat(Run(0, [.. restore, "--update-roles", "--dry-run"]).All), StringComparison.Ordinal);
        Run(0, [.. restore, "--yes", "--update-roles"]);
        RestoreBench.AssertSameRoles(source, target, exceptFor: "lifeboat__before_");
        Assert.Equal("1", await RestoreBench.AsRoleAsync(target, "shop", "app", "captured", "SELECT id::text FROM item"));
        Run(0, "undo", "--yes");
        Assert.Equal(before, RestoreBench.Roles(target).Where(static line => !line.Contains("lifeboat__before_", StringComparison.Ordinal)).Select(static line => line.Replace(" VALID UNTIL 'infinity'", "", StringComparison.Ordinal)));
        Run(0, "undo", "--yes");
        RestoreBench.AssertSameRoles(source, target, exceptFor: "lifeboat__before_");
        Run(0, "discard", "--yes");
        RestoreBench.AssertSameRoles(source, target);
    }

    /// <summary>Backs database shop up; gives the arguments that restore it to the other server.</summary>
    private string[] Backup(PostgresServer source, PostgresServer target)
    {
        Directory.CreateDirectory(_folder["app"]);
        LifeboatProgram.Shell(_folder["app"], "umask 077; echo 'correct horse battery staple' > passphrase");
        File.WriteAllText(_folder["app/lifeboat.yaml"], $$"""
            app: shop
            workers: 2
            sources:
              main: {type: postgres, url: "{{source.SocketUrl("shop")}}"}
            stores:
              local: {path: ../bundles}
            encryption: {password: "file:passphrase"}

            """);
        Run(0, "backup");
        return ["restore", "latest", "--target", $"main={target.SocketUrl("shop")}"];
    }

    private ProgramRun Run(int status, params string[] arguments)
    {
        ProgramRun run = LifeboatProgram.Run(_folder["app"], arguments);
        Assert.True(run.ExitStatus == status, $"{string.Join(' ', arguments)} ended with {run.ExitStatus}:\n{run.All}");
        return run;
    }

    private static string Flat(string text) => string.Join(' ', text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
