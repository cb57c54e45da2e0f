using System.Text;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>How settings are restored by hand.</summary>
internal static class SettingsInstructions
{
    public static string Write(string source, SettingsDetails details)
    {
        string names = string.Join(", ", details.Environment.Select(static name => $"`{name}`"));
        StringBuilder text = new();
        text.Append(
            $"""
            ### {source}: settings

            Settings files as they were, captured from `{details.Directory.Replace('`', '\'')}`.

            ```sh

            """);
        foreach (SettingsFile file in details.Files)
        {
            string target = $"{source}/{file.Path.TrimStart('/')}";
            string quoted = Restored(target);
            text.Append("mkdir -p ").Append(Restored(target[..target.LastIndexOf('/')])).Append('\n');
            text.Append("cp ").Append(ShellQuote.Of(file.File)).Append(' ').Append(quoted).Append('\n');
            foreach (string command in file.Traits.Commands(quoted))
                text.Append(command).Append('\n');
        }

        if (details.EnvironmentFile is not null)
            text.Append("mkdir -p ").Append(Restored(source)).Append('\n')
                .Append($"cp {details.EnvironmentFile} {Restored($"{source}/environment.{source}.env")}\n")
                .Append($"chmod 600 {Restored($"{source}/environment.{source}.env")}\n");
        text.Append("```\n\nThen move the files to where they belong: those of that folder lie as they lay there, others with their whole path.");
        if (details.EnvironmentFile is not null)
            text.Append(
                $"""
                 `environment.{source}.env` has the environment variables {names}; a shell takes them with
                `set -a; . ./environment.{source}.env; set +a`, and they must be set again where the application is started.
                """);
        return text.Append("\n\n").ToString();
    }

    private static string Restored(string path) => "\"$RESTORED\"/" + ShellQuote.Of(path);
}
