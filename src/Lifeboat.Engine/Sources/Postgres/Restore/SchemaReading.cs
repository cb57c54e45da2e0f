using System.Text;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Reads the schema of one of the restore's own databases by pg_dump, as the captured one was read.</summary>
/// <param name="database">The way to it.</param>
internal sealed class SchemaReading(RestoreTarget target, PostgresConnection database)
{
    /// <summary>The text, a character for each of its bytes, and its digest.</summary>
    public async Task<(string Text, string Digest)> ReadAsync(CancellationToken cancellation)
    {
        string stem = Path.Combine(target.Context.Host.TempDirectory, $"lifeboat-{target.Context.Host.NewId()}");
        string dump = stem + ".dump", text = stem + ".sql";
        try
        {
            await DumpAsync(dump, cancellation);
            string digest = await WriteTextAsync(dump, text, cancellation);
            return (digest == target.Details.SchemaDigest ? "" : await File.ReadAllTextAsync(text, Encoding.Latin1, cancellation), digest);
        }
        finally
        {
            File.Delete(dump);
            File.Delete(text);
        }
    }

    private async Task DumpAsync(string file, CancellationToken cancellation)
    {
        List<string> options = ["--schema-only", "--format=custom", $"--encoding={PsqlSession.ClientEncodingFor(target.Details.ServerEncoding)}"];
        PostgresCommand command = database.Command(target.RestoreTools.PgDump, options);
        await using FileStream stream = Create(file);
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            command.Start,
            async (input, token) => await input.WriteAsync(command.InputPrefix, token),
            async (output, token) => await output.CopyToAsync(stream, token),
            cancellation);
        if (exit != 0)
            throw PostgresProblems.OfProgram(command.Start, exit, errors, database, "pg_dump read the staged schema");
    }

    private async Task<string> WriteTextAsync(string dump, string text, CancellationToken cancellation)
    {
        PostgresCommand command = database.Command(target.RestoreTools.PgRestore, ["-f", "-"], connect: false);
        await using FileStream stream = Create(text);
        string digest = "";
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            command.Start,
            async (input, token) =>
            {
                await using FileStream from = File.OpenRead(dump);
                await from.CopyToAsync(input, token);
            },
            async (output, token) => digest = await SchemaText.CopyAsync(output, stream, token),
            cancellation);
        return exit == 0 ? digest : throw ProgramRunner.Failed(command.Start, exit, errors);
    }

    private static FileStream Create(string file)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(file, options);
    }
}
