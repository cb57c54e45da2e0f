using System.Globalization;

namespace Lifeboat.Samples;

/// <summary>The servers that an app's databases are on, each with its superuser let in by the unix socket.</summary>
/// <param name="PostgresHost">The folder of the socket.</param>
/// <param name="MySqlSocket">The path of the socket.</param>
public sealed record ChatServers(string PostgresHost, int PostgresPort, string MySqlSocket)
{
    /// <summary>A Chroma server's HTTP API, for a server that has the app's <c>chroma_data</c> open; null for an app without vectors.</summary>
    public string? ChromaUrl { get; init; }

    public string PostgresUrl(string database) =>
        string.Create(CultureInfo.InvariantCulture, $"postgresql://postgres@/{database}?host={Uri.EscapeDataString(PostgresHost)}&port={PostgresPort}");

    public string MySqlUrl(string database) => $"mysql://root@/{database}?socket={Uri.EscapeDataString(MySqlSocket)}";

    internal void Postgres(string database, Action<TextWriter> write) =>
        Client.Feed("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", PostgresUrl(database)], write);

    internal void MySql(Action<TextWriter> write) =>
        Client.Feed("mariadb", ["--no-defaults", $"--socket={MySqlSocket}", "--user=root", "--default-character-set=utf8mb4", "--binary-mode"], write);
}
