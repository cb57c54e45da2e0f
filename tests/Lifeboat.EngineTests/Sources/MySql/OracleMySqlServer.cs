using Lifeboat.Engine.Apps;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>A real server of Oracle's MySQL in a chroot (tests/chroots/build); sources reach it by its own client program there.</summary>
public sealed class OracleMySqlServer : MariaDbServer
{
    protected override string Daemon => "/usr/sbin/mysqld";

    protected override string Root => Path.Combine(Environment.GetEnvironmentVariable("LIFEBOAT_TEST_CHROOTS") ?? "/var/cache/lifeboat-test", "sid");

    protected override string DumpProgram => "mysqldump";

    protected override string[] DumpOptions => ["--set-gtid-purged=OFF", "--column-statistics=0"];

    protected override string[] Usual => ["--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--secure-file-priv="];

    /// <summary>The socket as it is called inside of the chroot.</summary>
    public string InsideSocket => Within + "/s";

    /// <summary>The prefix that reaches the server's own programs.</summary>
    public string[] Via => Inside();

    /// <summary>Settings of a source by the socket, inside of the chroot.</summary>
    public MySqlSettings InsideSettings(string database) =>
        new("shop", $"mysql://root@/{database}?socket={InsideSocket}", null, null, Via);

    public override MySqlSettings Own(string database, string source = "shop") => InsideSettings(database) with { Name = source };

    public override string DefaultRole(string role, string account) => $"ALTER USER {account} DEFAULT ROLE {role}";

    // Hashes hold any bytes.
    protected override string InitialSettings => "--init-command=SET print_identified_with_as_hex = 1";

    protected override bool IsPlainRole(string account) => false;

    /// <summary>Starts a second one.</summary>
    public static async Task<OracleMySqlServer> StartAnotherAsync()
    {
        OracleMySqlServer server = new();
        await server.InitializeAsync();
        return server;
    }

    protected override void Install()
    {
        string[] make = Inside("sh", "-c", $"id mysql >/dev/null 2>&1 || useradd --system --no-create-home mysql; chown mysql {Within}");
        Run(make[0], make[1..]);
        string[] command = Inside([Daemon, "--no-defaults", .. User, "--initialize-insecure", $"--datadir={Within}/data", $"--log-error={Within}/log"]);
        Run(command[0], command[1..]);
    }
}
