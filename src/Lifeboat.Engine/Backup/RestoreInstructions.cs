using System.Text;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Backup;

/// <summary><c>restore_instructions.md</c>: how to restore this snapshot by hand, with stock tools and without Lifeboat.</summary>
internal static class RestoreInstructions
{
    public const string FileName = "restore_instructions.md";

    /// <param name="chapters">Each source's own chapter.</param>
    public static string Write(SnapshotMetadata metadata, string bundleName, IEnumerable<string> chapters)
    {
        StringBuilder text = new();
        text.Append(
            $"""
            # How to restore this snapshot by hand

            A snapshot of the app **{metadata.App}**, made on {metadata.Host} at {metadata.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC
            by Lifeboat {metadata.LifeboatVersion}. With Lifeboat, `lifeboat restore {bundleName}` restores and verifies all of it.

            Without Lifeboat, the stock tools named below do. Paste the commands into one shell (bash, say), block after block, as root
            where files belong to several users.

            ## 1. Unpack the bundle

            Use 7-Zip 24 or newer (package `7zip`, program `7zz` or `7z`){(metadata.Encryption == "none" ? "" : ", which asks for the password")},
            in the folder that holds the bundle:

            ```sh
            7zz x -osnapshot {ShellQuote.Of(bundleName)}
            ```

            ## 2. Check that it is whole

            ```sh
            cd snapshot
            sha256sum --quiet -c {Checksums.FileName}
            ```

            It must print nothing. Counts and digests of every table are in `{VerifiedSnapshot.MetadataFileName}`.

            ## 3. Choose where to

            Files, folders and SQLite databases are put below one folder first. Choose a new one, on the disk where they belong:

            ```sh
            RESTORED="$PWD/restored"
            ```

            ## 4. Restore each source

            In the same shell, in the folder `snapshot`.


            """);
        foreach (string chapter in chapters)
            text.Append(chapter.TrimEnd()).Append("\n\n");
        text.Append(LeftOut(metadata));
        return text.ToString().ReplaceLineEndings("\n").TrimEnd() + "\n";
    }

    private static string LeftOut(SnapshotMetadata metadata)
    {
        string[] lines =
        [
            .. metadata.Sources.SelectMany(static source => (source.Redacted ?? [])
                .Select(one => $"- {source.Name}: {one.Kind} `{one.Name.Replace('`', '\'')}` ({Described(one.By)})\n")),
        ];
        return lines.Length == 0 ? "" : $"""
            ## 5. Enter again what is not in the snapshot

            The app file of this app leaves these values out (`redact:`). They are not in the bundle, encrypted or not; set them again, or the application goes
            without:

            {string.Concat(lines)}
            """;
    }

    private static string Described(string by) => by switch
    {
        "null" => "no value",
        "constant" => "one constant for every row",
        "mask" => "letters and digits are replaced",
        "hash" => "a hash with a key that nobody has",
        _ => "empty",
    };
}
