using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Restores <c>schema.dump</c> with pg_restore, section by section. pg_restore restores in parallel only from a file, so one is made in the
/// temporary folder; behind <c>via:</c> the file would be on the wrong side, so there the dump goes through its input, in one stream.
/// </summary>
/// <param name="connection">To the staged database.</param>
/// <param name="path">Of <c>schema.dump</c> in the snapshot.</param>
internal sealed class SchemaRestore(
    RunContext context, PostgresTools tools, PostgresConnection connection, VerifiedSnapshot snapshot, string path, bool tablespaces) : IDisposable
{
    private string? _file;

    public Task PreDataAsync(CancellationToken cancellation) => RunAsync("pre-data", jobs: 1, cancellation);

    public Task PostDataAsync(int workers, CancellationToken cancellation) => RunAsync("post-data", workers, cancellation);

    public void Dispose()
    {
        if (_file is not null)
            File.Delete(_file);
    }

    private async Task RunAsync(string section, int jobs, CancellationToken cancellation)
    {
        List<string> arguments = ["--section=" + section, "--exit-on-error"];
        if (!tablespaces)
            arguments.Add("--no-tablespaces");
        if (connection.Via.Count == 0)
        {
            if (jobs > 1)
                arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--jobs={jobs}"));
            arguments.Add(_file ??= await CopyToFileAsync(cancellation));
        }

        PostgresCommand command = connection.Command(tools.PgRestore, arguments);
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            command.Start,
            async (input, token) =>
            {
                await input.WriteAsync(command.InputPrefix, token);
                if (connection.Via.Count > 0)
                    await FeedAsync(input, token);
            },
            async (output, token) => await output.CopyToAsync(Stream.Null, token),
            cancellation);
        if (exit != 0)
            throw new LifeboatException(
                ErrorCodes.PostgresRestoreFailed,
                $"pg_restore could not restore the {section} section of {path}: {PostgresProblems.Flat(errors)}",
                "the server's message names the object; mend what it says on the target server, then run again",
                connection.Source);
        foreach (string line in errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            context.Progress.Report(new Noted(connection.Source, "pg_restore: " + line));
    }

    private async Task FeedAsync(Stream input, CancellationToken cancellation)
    {
        await using Stream dump = snapshot.Open(path);
        await dump.CopyToAsync(input, cancellation);
    }

    private async Task<string> CopyToFileAsync(CancellationToken cancellation)
    {
        string file = Path.Combine(context.Host.TempDirectory, $"lifeboat-{context.Host.NewId()}.dump");
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _file = file;
        await using FileStream stream = new(file, options);
        await FeedAsync(stream, cancellation);
        return file;
    }
}
