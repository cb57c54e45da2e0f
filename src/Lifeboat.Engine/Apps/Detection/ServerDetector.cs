using System.Globalization;
using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Finds database servers of this machine by their sockets; asks PostgreSQL's for their databases where they let us.</summary>
internal sealed class ServerDetector(RunContext context, DetectionPlaces places)
{
    private const string SocketPrefix = ".s.PGSQL.";
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(3);

    public async Task<IReadOnlyList<Finding>> DetectAsync(CancellationToken cancellation)
    {
        List<Finding> findings = [];
        foreach (string folder in places.PostgresSockets.Where(Directory.Exists))
        {
            foreach (string socket in Directory.EnumerateFiles(folder, SocketPrefix + "*").Order(StringComparer.Ordinal))
            {
                string port = Path.GetFileName(socket)[SocketPrefix.Length..];
                if (int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                    findings.Add(await DescribeAsync(folder, port, cancellation));
            }
        }

        findings.AddRange(places.MySqlSockets.Where(File.Exists).Select(Path.GetFullPath).Distinct(StringComparer.Ordinal).Select(static socket => new NoteFinding(
            $"a MySQL or MariaDB server listens at {socket}",
            [
                "to back up one of its databases, add:",
                $"main: {{type: mysql, url: {YamlQuoting.Quote($"mysql://root@/DATABASE?socket={Uri.EscapeDataString(socket)}")}}}",
            ])));
        return findings;
    }

    private async Task<NoteFinding> DescribeAsync(string folder, string port, CancellationToken cancellation)
    {
        string reason = $"a PostgreSQL server listens in {folder} on port {port}";
        IReadOnlyList<string>? databases = await DatabasesAsync(folder, port, cancellation);
        List<string> advice = [];
        foreach (string database in databases is null or [] ? ["DATABASE"] : databases)
        {
            string url = PostgresDraft.Written(PostgresDraft.UrlOf(null, folder, port, database));
            string via = databases is null ? ", via: [runuser, -u, postgres, --]" : "";
            advice.Add($"{DraftNames.Of(database, "main")}: {{type: postgres, url: {YamlQuoting.Quote(url)}{via}}}");
        }

        string lead = databases is null
            ? "it does not let this user in; to back up one of its databases as its own user, add:"
            : "to back up one of its databases, add its line:";
        return new NoteFinding(reason, [lead, .. advice]);
    }

    /// <summary>Null where nobody answers: no psql, no right, no server behind the socket.</summary>
    private async Task<IReadOnlyList<string>?> DatabasesAsync(string folder, string port, CancellationToken cancellation)
    {
        ProgramStart psql = new("psql",
        [
            "-XAtw", "-h", folder, "-p", port, "-d", "postgres", "-c",
            "SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database WHERE NOT datistemplate AND datallowconn AND datname <> 'postgres'",
        ])
        {
            Environment = new Dictionary<string, string?>
            {
                ["PGCONNECT_TIMEOUT"] = "2", ["PGCLIENTENCODING"] = "UTF8",
                // Somebody may have a function of his in schema public that fits better than the system's (CVE-2018-1058).
                ["PGOPTIONS"] = "-c search_path=pg_catalog,pg_temp",
            },
        };
        using CancellationTokenSource limit = new(ProbeLimit, context.Host.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            ProgramResult result = await ProgramRunner.RunAsync(psql, either.Token);
            if (result.ExitStatus != 0)
                return null;
            using JsonDocument names = JsonDocument.Parse(result.Output);
            return [.. names.RootElement.EnumerateArray().Select(static name => name.GetString()!)];
        }
        catch (LifeboatException e) when (e.Code == ErrorCodes.ProgramMissing)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
