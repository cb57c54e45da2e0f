using System.Collections.Concurrent;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Secrets;

/// <summary>Fetches secrets from the environment, files, programs and systemd's credentials.</summary>
/// <param name="directory">The app file's folder: <c>file:</c> paths are relative to it, and commands run in it.</param>
public sealed class SecretResolver(string directory, RunContext context) : ISecretResolver
{
    /// <param name="app">Whose secrets they are.</param>
    public static SecretResolver For(App app, RunContext context) => new(app.Directory, context) { Inherited = app.PassEnvironment };

    private const int MaxBytes = 64 * 1024;
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(2);
    private readonly ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);

    /// <summary>Variables that programs inherit beside the usual few.</summary>
    public IReadOnlyList<string> Inherited { get; init; } = [];

    public async Task<Secret> ResolveAsync(SecretReference reference, CancellationToken cancellation)
    {
        string value = reference.Scheme switch
        {
            SecretScheme.Env => FromEnvironment(reference),
            SecretScheme.File => await FromFileAsync(reference, Path.GetFullPath(Path.Combine(directory, reference.Locator)), cancellation),
            SecretScheme.Command => await FromCommandAsync(reference, cancellation),
            SecretScheme.Credential => await FromCredentialAsync(reference, cancellation),
            _ => throw new ArgumentOutOfRangeException(nameof(reference)),
        };
        if (value.Length == 0)
            throw Missing(reference, "is empty", "put the secret there");
        if (value.Contains('\0', StringComparison.Ordinal))
            throw Unusable(reference, "holds a NUL character", "a password is a text; store it without NUL characters");
        if (value.AsSpan().ContainsAny('\n', '\r'))
            throw Unusable(
                reference, "has more than one line", "store the secret alone, on one line; of a program's output take a line with `command:sh -c '… | head -n 1'`");
        return new Secret(value);
    }

    private string FromEnvironment(SecretReference reference) =>
        context.Host.Variables.TryGetValue(reference.Locator, out string? value)
            ? value
            : throw Missing(reference, "is not set", $"set the environment variable {reference.Locator} for Lifeboat, or name another place in the app file");

    private async Task<string> FromCredentialAsync(SecretReference reference, CancellationToken cancellation)
    {
        if (!context.Host.Variables.TryGetValue("CREDENTIALS_DIRECTORY", out string? folder) || folder.Length == 0)
            throw Missing(
                reference, "cannot be looked up: CREDENTIALS_DIRECTORY is not set",
                $"run Lifeboat as a systemd service with `LoadCredential={reference.Locator}:PATH`, or name another place in the app file");
        return await FromFileAsync(reference, Path.Combine(folder, reference.Locator), cancellation);
    }

    private async Task<string> FromFileAsync(SecretReference reference, string path, CancellationToken cancellation)
    {
        try
        {
            await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (reference.Scheme == SecretScheme.File)
            {
                new FileTrust(context.Host).RequireUnshared(file.SafeFileHandle, path, $"the secret {reference}");
                WarnIfExposed(reference, path, file);
            }

            return TextOf(reference, await ReadAsync(reference, file, cancellation));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing(reference, $"is not there: no file {path}", "put the secret into that file, or name another place in the app file", e);
        }
        catch (UnauthorizedAccessException e)
        {
            string why = Directory.Exists(path) ? "is a folder" : "may not be read by this user";
            throw Missing(reference, $"{why}: {path}", "name a file that the user who runs Lifeboat may read", e);
        }
        catch (IOException e)
        {
            throw Missing(reference, $"cannot be read: {e.Message}", "name a file that the user who runs Lifeboat may read", e);
        }
    }

    private async Task<string> FromCommandAsync(SecretReference reference, CancellationToken cancellation)
    {
        if (!CommandWords.TrySplit(reference.Locator, out IReadOnlyList<string>? words, out _))
            throw Unusable(reference, "is not a command", "write `command:PROGRAM ARGS`");
        string program = words[0].AsSpan().ContainsAny('/', '\\') ? Path.GetFullPath(Path.Combine(directory, words[0])) : words[0];
        ProgramStart start = new(program, [.. words.Skip(1)]) { WorkingDirectory = directory, Inherits = Inherited };
        using CancellationTokenSource limit = new(CommandLimit, context.Host.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        byte[] output = [];
        int exit;
        try
        {
            // What the program says on its error stream may hold anything, so nobody is shown it.
            (exit, _) = await ProgramRunner.PumpAsync(
                start, static (_, _) => Task.CompletedTask, async (stream, token) => output = await ReadAsync(reference, stream, token), either.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw Missing(reference, $"did not end within {CommandLimit.TotalMinutes} minutes", "the program must print the secret without asking anything", e);
        }

        if (exit != 0)
            throw Missing(
                reference, $"ended with status {exit}", $"run the command by hand in {directory}: it must print the secret, and nothing else, without asking anything");
        return TextOf(reference, output);
    }

    private static async Task<byte[]> ReadAsync(SecretReference reference, Stream stream, CancellationToken cancellation)
    {
        byte[] buffer = new byte[MaxBytes + 1];
        int count = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        return count <= MaxBytes ? buffer[..count] : throw Unusable(reference, "is larger than 64 KiB", "store the secret alone");
    }

    private static string TextOf(SecretReference reference, ReadOnlySpan<byte> bytes)
    {
        if (bytes is [0xEF, 0xBB, 0xBF, ..])
            bytes = bytes[3..];
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
            throw Unusable(reference, "is not UTF-8", "store the secret as UTF-8 text");
        if (bytes is [.., (byte)'\n'])
            bytes = bytes[..^1];
        if (bytes is [.., (byte)'\r'])
            bytes = bytes[..^1];
        return Encoding.UTF8.GetString(bytes);
    }

    // Secrets that a container's engine mounts are readable by everybody inside, on purpose.
    private void WarnIfExposed(SecretReference reference, string path, FileStream file)
    {
        if (OperatingSystem.IsWindows() || path.StartsWith("/run/secrets/", StringComparison.Ordinal))
            return;
        UnixFileMode mode = File.GetUnixFileMode(file.SafeFileHandle);
        if ((mode & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) == 0 || !_warned.TryAdd(path, true))
            return;
        context.Progress.Report(new Warned(null, new Problem(
            ErrorCodes.SecretExposed, $"other users of this machine can read the secret in {path}", $"chmod 600 '{path}'", reference.ToString())));
    }

    private static LifeboatException Missing(SecretReference reference, string what, string hint, Exception? inner = null) =>
        new(ErrorCodes.SecretMissing, $"the secret {reference} {what}", hint, reference.ToString(), inner);

    private static LifeboatException Unusable(SecretReference reference, string what, string hint) =>
        new(ErrorCodes.SecretUnusable, $"the secret {reference} {what}", hint, reference.ToString());
}
