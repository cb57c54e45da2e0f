using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.EngineTests.EndToEnd;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>The ways to a server: each for a backup and for a restore of it to the same server.</summary>
public sealed class ReachTests : IDisposable
{
    private readonly RestoreBench _bench = new();
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _bench.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task By_TCP_with_a_certificate_that_is_verified()
    {
        Needs.Program("openssl");
        await using PostgresServer server = await PostgresServer.StartAsync();
        CreateShop(server);
        MakeCertificates();
        string hba = Path.Combine(server.Data, "pg_hba.conf");
        LifeboatProgram.Shell(_folder[""], $"""
            cp server.crt server.key {server.Data}/; chmod 600 {server.Data}/server.key; chown --reference={hba} {server.Data}/server.crt {server.Data}/server.key
            printf 'hostnossl all all all reject\n' | cat - {hba} > hba; cat hba > {hba}
            """);
        server.Sql("postgres", "ALTER SYSTEM SET ssl = on");
        server.Sql("postgres", "SELECT pg_reload_conf()");
        string url(string options) => $"postgresql://postgres@localhost:{server.Port}/shop?{options}";
        string verified = url($"sslmode=verify-full&sslrootcert={_folder["ca.crt"]}");
        Assert.True(SpinWait.SpinUntil(() => server.Sql("postgres", "SHOW ssl").Trim() == "on", TimeSpan.FromSeconds(30)));

        await RoundTripAsync(server, Settings(verified, password: true), Settings(verified, password: true));

        foreach (string options in new[] { "sslmode=disable", $"sslmode=verify-full&sslrootcert={_folder["other.crt"]}" })
        {
            IReadOnlyList<Problem> problems = await Source(server, Settings(url(options), password: true)).CheckAsync(Cancellation);
            Assert.Contains(Assert.Single(problems).Code, new[] { ErrorCodes.PostgresLoginRefused, ErrorCodes.PostgresUnreachable });
        }
    }

    [Fact]
    public async Task By_TCP_without_TLS_and_a_password()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        CreateShop(server);
        PostgresSettings settings = Settings(server.Url("shop") + "?sslmode=disable", password: true);

        await RoundTripAsync(server, settings, settings);
    }

    [Fact]
    public async Task By_a_socket_as_the_user_that_the_server_knows()
    {
        Needs.Root();
        await using PostgresServer server = await PostgresServer.StartAsync();
        CreateShop(server);
        server.Sql("postgres", "CREATE ROLE checker SUPERUSER LOGIN");
        string hba = Path.Combine(server.Data, "pg_hba.conf");
        LifeboatProgram.Shell("/", $"printf 'local all postgres peer\nlocal all checker trust\n' > {hba}");
        server.Sql("postgres", "SELECT pg_reload_conf()");
        PostgresSettings me = new("main", server.SocketUrl("shop"), null, null, []);
        PostgresSettings postgres = me with { Via = ["runuser", "-u", "postgres", "--"] };
        IReadOnlyList<Problem> refused = [];
        Assert.True(SpinWait.SpinUntil(
            () => (refused = Source(server, me).CheckAsync(Cancellation).GetAwaiter().GetResult()).Count > 0, TimeSpan.FromSeconds(30)));
        Assert.Equal(ErrorCodes.PostgresLoginRefused, refused[0].Code);

        await RoundTripAsync(server, postgres, postgres, "checker");
    }

    [Fact]
    public async Task By_a_service_file_and_a_password_file()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        CreateShop(server);
        File.WriteAllText(_folder["services"], $"[shop]\nhost=127.0.0.1\nport={server.Port}\nuser=postgres\n");
        File.WriteAllText(_folder["passwords"], $"127.0.0.1:{server.Port}:*:postgres:{PostgresServer.Password}\n");
        LifeboatProgram.Shell(_folder[""], "chmod 600 passwords");
        Dictionary<string, string> variables = new() { ["PGSERVICEFILE"] = _folder["services"], ["PGPASSFILE"] = _folder["passwords"] };

        RunProgram(server, """{type: postgres, url: "postgresql:///shop?service=shop"}""", variables);
    }

    /// <summary>What stands for a container: programs and socket are in the chroot alone, and the programs here are too old for the server.</summary>
    [Fact]
    public async Task Through_a_prefix_to_a_server_whose_programs_and_socket_are_elsewhere()
    {
        await using PostgresServer server = PostgresServer.InChroot("trixie", 17);
        await server.InitializeAsync();
        CreateShop(server);
        Assert.False(Directory.Exists(server.SocketFolder));

        RunProgram(server, $$"""{type: postgres, url: "{{server.SocketUrl("shop")}}", via: [chroot, {{server.Root}}, env, "PATH={{server.Bin}}:/usr/bin:/bin"]}""", []);
        // And with a password, which no argument shows.
        RunProgram(
            server, $$"""{type: postgres, url: "{{server.Url("shop")}}", password: "env:SHOP_PASSWORD", via: [chroot, {{server.Root}}, env, "PATH={{server.Bin}}:/usr/bin:/bin"]}""",
            new() { ["SHOP_PASSWORD"] = PostgresServer.Password });
    }

    private static void CreateShop(PostgresServer server)
    {
        server.CreateDatabase("shop");
        server.Sql("shop", "CREATE TABLE items AS SELECT i, md5(i::text) AS t FROM generate_series(1, 2000) i; CREATE INDEX ON items (i); SELECT lo_from_bytea(99, 'large')");
    }

    private static PostgresSettings Settings(string url, bool password) => new("main", url, null, password ? new(SecretScheme.Env, "PASSWORD") : null, []);

    private PostgresSource Source(PostgresServer server, PostgresSettings settings) =>
        new(settings, server.Bin, _bench.Host.Context, new GivenSecrets(("PASSWORD", PostgresServer.Password)));

    /// <summary>Backs up, damages, restores over it, and looks.</summary>
    private async Task RoundTripAsync(PostgresServer server, PostgresSettings backup, PostgresSettings restore, string checker = "postgres")
    {
        SourceMetadata captured;
        await using (ICapture capture = await Source(server, backup).OpenAsync(Cancellation))
            captured = await capture.WriteAsync(_bench.Snapshot, Cancellation);
        await using VerifiedSnapshot snapshot = await _bench.Snapshot.FinishAsync(captured);
        server.Sql("shop", "DELETE FROM items", checker);
        await using IRestoration restoration = Source(server, restore).PrepareRestore(snapshot, captured, new RestoreRun("testid"));
        Assert.Empty((await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);
        Assert.Equal("2000", server.Sql("shop", "SELECT count(*) FROM items", checker).Trim());
    }

    /// <summary>The same with the program, as an operator runs it.</summary>
    private void RunProgram(PostgresServer server, string source, Dictionary<string, string> variables)
    {
        string app = _folder[$"app{Guid.NewGuid():N}"];
        Directory.CreateDirectory(app);
        File.WriteAllText(Path.Combine(app, "lifeboat.yaml"), $"app: shop\nsources:\n  main: {source}\nstores:\n  local: {{path: backups}}\nencryption: none\n");
        ProgramRun backup = LifeboatProgram.Run(app, variables, "backup");
        Assert.True(backup.ExitStatus == 3, backup.All); // for want of encryption
        server.Sql("shop", "DELETE FROM items");
        ProgramRun restore = LifeboatProgram.Run(app, variables, "restore", "latest", "--yes");
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        Assert.Equal("2000", server.Sql("shop", "SELECT count(*) FROM items").Trim());
        Assert.DoesNotContain(PostgresServer.Password, backup.All + restore.All);
    }

    private void MakeCertificates() => LifeboatProgram.Shell(_folder[""], """
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj '/CN=test authority' -days 2 2>&1
        openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.crt -subj '/CN=another authority' -days 2 2>&1
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj '/CN=localhost' 2>&1
        printf 'subjectAltName=DNS:localhost\n' > san
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.crt 2>&1
        """);
}
