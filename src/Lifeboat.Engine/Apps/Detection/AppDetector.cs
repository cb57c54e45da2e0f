using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Looks at a folder and at the servers of this machine for what belongs to an app. Changes and executes nothing of the app's.</summary>
public sealed class AppDetector(RunContext context, DetectionPlaces places)
{
    /// <param name="directory">Absolute.</param>
    public async Task<IReadOnlyList<Finding>> DetectAsync(string directory, CancellationToken cancellation)
    {
        FolderScan scan = FolderScan.Run(Path.TrimEndingDirectorySeparator(directory), cancellation);
        List<EnvironmentFile> environment = [];
        foreach (ScannedFile file in scan.Files.Where(static f => f.Depth <= 2 && EnvironmentFile.IsName(f.Name)))
        {
            if (await TextFile.ReadAsync(file.FullPath, cancellation) is { } text)
                environment.Add(EnvironmentFile.Parse(file.Relative, text));
        }

        OdooDetector odoo = new(scan, places);
        List<Finding> findings = [];
        findings.AddRange(await EnvironmentDetector.DetectAsync(scan, environment, cancellation));
        findings.AddRange(await new DjangoDetector(scan, environment).DetectAsync(cancellation));
        findings.AddRange(await odoo.DetectInFolderAsync(cancellation));
        findings.AddRange(await SqliteDetector.DetectAsync(scan, cancellation));
        findings.AddRange(FolderDetector.Detect(scan));

        // What is elsewhere on the machine belongs to this app only where the folder itself holds none.
        if (!findings.OfType<SourceFinding>().Any())
            findings.AddRange(await odoo.DetectOnMachineAsync(cancellation));
        findings.AddRange(SettingsDetector.Detect(scan));
        findings.AddRange(await new ServerDetector(context, places).DetectAsync(cancellation));
        if (scan.IsCut)
            findings.Add(new NoteFinding("the folder is large or deep, so not everything in it was looked at", ["add what is missing"]));
        return WithoutRepeats(findings);
    }

    private static IReadOnlyList<Finding> WithoutRepeats(List<Finding> findings) =>
    [
        .. findings.DistinctBy(static finding => finding switch
        {
            SourceFinding source => source.Source.Identity,
            SettingsFileFinding file => "settings:" + file.FullPath,
            _ => "note:" + finding.Reason,
        }),
    ];
}
