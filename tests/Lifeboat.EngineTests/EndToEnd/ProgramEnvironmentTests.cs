using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>What programs that Lifeboat starts find in their environment: every kind of them, each in the place of which a wrapper writes it down.</summary>
public sealed class ProgramEnvironmentTests
{
    private static readonly string[] s_secrets = ["bundle-secret-9f8d7s6a5", "dbsecret-77", "crmsecret-78", "other-token-79", "creds-80", "aws-81"];

    [Fact]
    public async Task No_program_gets_a_secret_and_each_gets_what_it_needs()
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await using MariaDbServer mariadb = await MariaDbServer.StartAsync();
        postgres.CreateDatabase("shop");
        postgres.Sql("shop", "CREATE TABLE t AS SELECT 1 AS id");
        postgres.CreateDatabase("far");
        mariadb.Sql("CREATE DATABASE crm; CREATE TABLE crm.t (id int PRIMARY KEY)");
        Create(folder, postgres, mariadb);
        Dictionary<string, string> variables = new()
        {
            ["LIFEBOAT_PASSWORD"] = s_secrets[0], ["SHOP_DB_PASSWORD"] = s_secrets[1], ["CRM_PASSWORD"] = s_secrets[2], ["OTHER_TOKEN"] = s_secrets[3],
            ["CREDENTIALS_DIRECTORY"] = "/" + s_secrets[4], ["AWS_SECRET_ACCESS_KEY"] = s_secrets[5],
            ["PASSED"] = "passed", ["LC_TIME"] = "C.UTF-8", ["TZ"] = "Europe/Berlin", ["PGTZ"] = "UTC",
        };

        foreach (string[] command in new string[][] { ["doctor"], ["backup"], ["restore", "latest", "--yes"], ["undo", "--yes"] })
        {
            ProgramRun run = LifeboatProgram.Run(folder.Path, variables, command);
            Assert.True(run.ExitStatus is 0 or 3, run.All);
        }

        string[] kinds = ["hook_before_backup", "hook_after_backup", "hook_before_commit", "hook_after_commit", "secret", "psql", "pg_dump", "pg_dumpall", "pg_restore", "mariadb", "via"];
        foreach (string kind in kinds)
        {
            string found = File.ReadAllText(folder[$"env/{kind}"]);
            Assert.All(s_secrets, secret => Assert.DoesNotContain(secret, kind.StartsWith('p') ? found.Replace("PGPASSWORD=" + s_secrets[1], "", StringComparison.Ordinal) : found, StringComparison.Ordinal));
            Assert.All(["PATH=", "LC_TIME=C.UTF-8", "TZ=Europe/Berlin"], one => Assert.Contains("\n" + one, "\n" + found, StringComparison.Ordinal));
            Assert.Equal(kind.StartsWith("hook", StringComparison.Ordinal) || kind == "secret", found.Contains("PASSED=passed", StringComparison.Ordinal));
            Assert.Equal(kind is "psql" or "pg_dump" or "pg_dumpall" or "pg_restore" or "via", found.Contains("PGTZ=UTC", StringComparison.Ordinal));
        }
    }

    /// <summary>An app whose every program is a wrapper that adds its environment to a file of its own, and then is the program.</summary>
    private static void Create(TemporaryFolder folder, PostgresServer postgres, MariaDbServer mariadb)
    {
        string programs = LifeboatProgram.Shell("/", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1").Trim();
        LifeboatProgram.Shell(
            folder.Path,
            $$"""
            mkdir env pg my
            for p in psql pg_dump pg_dumpall pg_restore; do printf '#!/bin/sh\nenv >> {{folder["env"]}}/%s\nexec {{programs}}/%s "$@"\n' $p $p > pg/$p; done
            printf '#!/bin/sh\nenv >> {{folder["env"]}}/mariadb\nexec %s "$@"\n' "$(command -v mariadb)" > my/mariadb
            printf '#!/bin/sh\nenv >> {{folder["env"]}}/%s\n' hook > hook; echo 'cat {{folder["env"]}}/hook >> {{folder["env"]}}/hook_$LIFEBOAT_HOOK' >> hook
            printf '#!/bin/sh\nenv >> {{folder["env"]}}/secret\necho quite-a-long-passphrase-7x2k9\n' > secret
            printf '#!/bin/sh\nenv >> {{folder["env"]}}/via\nexec "$@"\n' > via
            chmod +x pg/* my/* hook secret via
            """);
        File.WriteAllText(folder["lifeboat.yaml"], $$"""
            app: shop
            sources:
              main: {type: postgres, url: "{{postgres.SocketUrl("shop")}}", password: "env:SHOP_DB_PASSWORD"}
              far: {type: postgres, url: "{{postgres.SocketUrl("far")}}", via: ["{{folder["via"]}}"]}
              crm: {type: mysql, url: "{{mariadb.Url("crm")}}"}
            stores:
              local: {path: backups}
            encryption: {password: "command:./secret"}
            pass_environment: [PASSED]
            tools: {postgres: ./pg, mysql: ./my}
            hooks:
              before_backup: ["./hook"]
              after_backup: ["./hook"]
              before_commit: ["./hook"]
              after_commit: ["./hook"]
            """);
        LifeboatProgram.Shell(folder.Path, "chmod 644 lifeboat.yaml");
    }
}
